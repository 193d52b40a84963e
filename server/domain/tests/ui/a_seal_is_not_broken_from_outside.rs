use hayward_domain::record::{OrganizationNumber, Record, Sealed};

fn main() {
    let sealed = Sealed::new(OrganizationNumber(1), Record::default());
    let _ = sealed.inner();
    let _ = sealed.inner;
}
