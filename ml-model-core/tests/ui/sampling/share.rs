include!("../common.rs");

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(sample = 0))]
struct Model0;

infer!(Model0);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(sample = 1.5))]
struct Model1;

infer!(Model1);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(sample = 10%))]
struct Model2;

infer!(Model2);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(sample = "0.1"))]
struct Model3;

infer!(Model3);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(sample))]
struct Model4;

infer!(Model4);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(sample(0.1)))]
struct Model5;

infer!(Model5);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(sampel = 0.1))]
struct Model6;

infer!(Model6);

#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(sample = -0.1))]
struct Model7;

infer!(Model7);

fn main() {}
