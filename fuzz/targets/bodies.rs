#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| argonaut_fuzz::bodies::read(data));
