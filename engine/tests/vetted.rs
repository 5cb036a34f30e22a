//! The token of the gate cannot be made, doubled, converted, read, changed or taken apart outside the
//! engine: each file in `compile_fail/` must not compile, for exactly the reason beside it.

#[test]
fn a_vetted_order_cannot_be_forged() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
