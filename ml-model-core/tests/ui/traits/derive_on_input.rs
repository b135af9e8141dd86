include!("../common.rs");

#[derive(JsonSchema, MLModel)]
struct Square {
    side: f64,
}

#[derive(MLModel)]
struct Model;

impl Infer for Model {
    type Input = Square;
    type Output = f64;
    type Error = std::convert::Infallible;

    fn infer(&self, square: &Square) -> Result<f64, Self::Error> {
        Ok(square.side * square.side)
    }
}

fn main() {
    let _ = Model.predict(Square { side: 3.0 });
}
