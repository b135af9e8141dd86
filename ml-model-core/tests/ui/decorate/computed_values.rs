include!("../common.rs");

const TARGET: &str = "audit";

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(
    input_fields = FIELDS,
    output_fields = &crate::OUTPUT_FIELDS,
    sample = 1 / 10,
    slow = Duration::from_millis(50),
    target = TARGET,
))]
struct Model;

infer!(Model);

#[derive(MLModel)]
#[ml_model(version = env!("CARGO_PKG_VERSION"))]
#[decorate(logging(target = module_path!(), sample = settings().sample()))]
struct Computed;

infer!(Computed);

fn main() {
    let _ = Model.display_name();
}
