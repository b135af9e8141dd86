use ml_model_core::{Decorator, Infer};

struct Quota;

impl<M: Infer> Decorator<M> for Quota {}

fn main() {}
