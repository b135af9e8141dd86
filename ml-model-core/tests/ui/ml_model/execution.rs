include!("../common.rs");

#[derive(MLModel)]
#[ml_model(execution = blockin)]
struct Misspelt;

infer!(Misspelt);

#[derive(MLModel)]
#[ml_model(execution = "thread pool")]
struct Unknown;

infer!(Unknown);

#[derive(MLModel)]
#[ml_model(execution(inline))]
struct Parentheses;

infer!(Parentheses);

#[derive(MLModel)]
#[ml_model(execution = 1)]
struct Number;

infer!(Number);

#[derive(MLModel)]
#[ml_model(execution = async)]
struct Async;

infer!(Async);

#[derive(MLModel)]
#[ml_model(execution = Execution::Pool)]
struct Constant;

infer!(Constant);

fn main() {
    let _ = Misspelt.display_name();
}
