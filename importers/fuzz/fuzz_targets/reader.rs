#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hayward_importers_fuzz::read(bytes));
