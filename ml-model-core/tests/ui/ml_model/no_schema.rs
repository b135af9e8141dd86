use ml_model_core::{Infer, MLModel};

struct Input {
    age: u8,
}

#[derive(MLModel)]
#[decorate(logging(input_fields = ["age"]))]
struct Model;

impl Infer for Model {
    type Input = Input;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, input: &Input) -> Result<f64, Self::Error> {
        Ok(f64::from(input.age))
    }
}

fn main() {
    let _ = Model.display_name();
}
