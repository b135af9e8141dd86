use ml_model_core::LogValue;

#[derive(LogValue)]
enum Shape {
    Round,
    Square(f64),
    Oval { a: f64, b: f64 },
}

#[derive(LogValue)]
struct Address {
    zip: String,
}

#[derive(LogValue)]
struct CustomerId(String);

#[derive(LogValue)]
union Bits {
    a: u32,
}

#[derive(LogValue)]
#[log_value(krate = ml_model_core)]
enum Sex {
    Male,
}

fn main() {
    let _ = Shape::Round.log_value();
}
