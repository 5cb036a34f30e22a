//! A new migration file must be embedded by the next build, which cargo cannot know by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
