include!("../common.rs");

#[derive(MLModel)]
#[decorate(logging(
    input_fields = ["", "age bmi", "age as", "age as 9x", age bmi, 7, "self.age", age as, age as "two words", , "address..zip", age.],
    output_fields = "charges",
))]
struct Model;

infer!(Model);

fn main() {
    let _ = Model.display_name();
}
