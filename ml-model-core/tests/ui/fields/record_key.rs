include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(input_fields = ["status", "age as action", bmi as message], output_fields = [duration_ms, "x.y as status"]))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
