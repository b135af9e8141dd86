include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = [
    "ssn as hashed",
    ssn as redacted,
    "age as bucketed",
    ssn as hashed(),
    "ssn as hashed(ssn)",
    "ssn: redacted",
    "ssn redacted",
    ssn redacted,
    "ssn | hashed",
    ssn.hashed(),
    "ssn.hashed()",
    ssn => hashed,
    bucketed(10, age),
    "bucketed(10, age)",
    hashed(bucketed(age, 10)),
    "hashed(redacted(ssn))",
    redacted(address).zip as zip,
    "redacted(address).zip",
    ssn.expose(),
    "ssn.expose()",
    masked(ssn),
    "hidden(ssn)",
]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
