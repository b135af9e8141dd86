include!("../common.rs");

#[derive(MLModel)]
#[decorate(metrics(buckets = [0.1]))]
struct InParentheses;

infer!(InParentheses);

#[derive(MLModel)]
#[decorate(metrics = "all")]
struct AsValue;

infer!(AsValue);

fn main() {
    let _ = (InParentheses.display_name(), AsValue.display_name());
}
