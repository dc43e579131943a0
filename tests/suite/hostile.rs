//! What a hostile adapter tries, one test per behaviour of `tests/guests/hostile`.

mod answers;
mod burden;
mod prying;
mod reach;

macro_rules! each_has_a_test {
    ($($module:ident: $($name:ident)*;)*) => {
        /// The list is the guest's. A behaviour without a test does not compile.
        const TESTS: &[(&str, fn())] = &[$($((stringify!($name), $module::$name),)*)*];
    };
}

hostile_guest::for_each_behaviour!(each_has_a_test);

#[test]
fn the_guest_knows_the_behaviours_that_are_tested() {
    let tested: Vec<&str> = TESTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(tested, hostile_guest::BEHAVIOURS);
}
