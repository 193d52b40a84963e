use hayward_domain::record::{OrganizationNumber, Record, Sealed};

fn sent(_: impl serde::Serialize) {}

fn main() {
    sent(Sealed::new(OrganizationNumber(1), Record::default()));
}
