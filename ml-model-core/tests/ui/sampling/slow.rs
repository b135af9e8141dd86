include!("../common.rs");

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(slow = 50))]
struct Model0;

infer!(Model0);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(slow = 50ms))]
struct Model1;

infer!(Model1);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(slow = "50"))]
struct Model2;

infer!(Model2);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(slow = "0ms"))]
struct Model3;

infer!(Model3);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(slow = "fast"))]
struct Model4;

infer!(Model4);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(slow = "50 msecs ago"))]
struct Model5;

infer!(Model5);

fn main() {}
