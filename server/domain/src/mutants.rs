//! Seeded leaks that the tests switch on, to see that they are caught.
//!
//! Each mutant is one `if mutants::on("name") { … }` on one line of production code. Without the feature `mutants`, which only the
//! test crate asks for, [`on`] is the constant `false` and the compiler drops the line.

/// Whether the seeded leak `name` is switched on in this process.
#[cfg(not(feature = "mutants"))]
#[must_use]
#[inline(always)]
pub const fn on(_name: &str) -> bool {
    false
}

#[cfg(feature = "mutants")]
pub use switched::{enable, on};

#[cfg(feature = "mutants")]
mod switched {
    use std::sync::OnceLock;

    static ENABLED: OnceLock<String> = OnceLock::new();

    /// Switches one leak on for the rest of this process.
    ///
    /// # Errors
    /// The name of the leak that is on already: a process tests one.
    pub fn enable(name: &str) -> Result<(), String> {
        ENABLED.set(name.to_owned())
    }

    /// Whether the seeded leak `name` is switched on in this process.
    #[must_use]
    pub fn on(name: &str) -> bool {
        ENABLED.get().is_some_and(|enabled| enabled == name)
    }
}
