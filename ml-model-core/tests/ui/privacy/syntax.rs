include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = [
    hashed(),
    "hashed()",
    hashed(ssn as number),
    "hashed(ssn as number)",
    redacted(ssn, 10),
    "hashed(ssn",
    "hashed(ssn) number",
    hashed(ssn) number,
    hashed("ssn", "age"),
    hashed(ssn number),
    "weights.len()",
    weights.len(),
    len(),
]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
