//! Programs that must not compile: the ways around the one door.

#[test]
fn the_ways_around_the_door_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
