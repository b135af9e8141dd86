//! Predicts rents with a scikit-learn pipeline that was exported to ONNX.

use std::error::Error;

use ml_model_core::{Context, Infer, LogValue, MLModel};
use rten::{Model, NodeId, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An apartment.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Apartment {
    /// Floor area in square metres.
    #[schemars(range(min = 15.0, max = 200.0))]
    pub area: f32,
    /// Number of rooms.
    #[schemars(range(min = 1, max = 7))]
    pub rooms: u8,
    /// Year of construction.
    #[schemars(range(min = 1880, max = 2025))]
    pub year: u16,
    /// Whether the apartment has a balcony.
    pub has_balcony: bool,
    /// District of the city.
    pub district: District,
}

/// District of the city, in the order of `DISTRICTS` of `model/export.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, LogValue)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names need no explanation")]
pub enum District {
    Centre,
    Harbour,
    Hills,
    Station,
}

/// The rent of an apartment.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Rent {
    /// Rent in euros a month.
    pub rent: f32,
}

/// Predicts the rent of an apartment.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["area", "year", "district"], output_fields = ["rent"]))]
#[allow(missing_debug_implementations, reason = "`rten::Model` has none")]
pub struct RentModel {
    pipeline: Model,
    inputs: Vec<NodeId>,
    output: NodeId,
}

/// Name of an input in the ONNX file, and its value for an apartment.
type Column = (&'static str, fn(&Apartment) -> f32);

/// Inputs of the pipeline, a column of values each.
const COLUMNS: &[Column] = &[
    ("area", |apartment| apartment.area),
    ("rooms", |apartment| apartment.rooms.into()),
    ("year", |apartment| apartment.year.into()),
    ("has_balcony", |apartment| apartment.has_balcony.into()),
    ("district", |apartment| apartment.district as u8 as f32),
];

type BoxError = Box<dyn Error + Send + Sync>;

impl Infer for RentModel {
    type Input = Apartment;
    type Output = Rent;
    type Error = BoxError;

    const TAKES_BATCHES: bool = true;

    fn infer(&self, input: &Apartment) -> Result<Rent, BoxError> {
        let rents = self.rents(&[input])?;
        rents
            .first()
            .map(|rent| Rent { rent: *rent })
            .ok_or_else(|| "the pipeline has no output".into())
    }

    /// Runs the pipeline once for all rows.
    fn infer_batch(&self, rows: &[(Apartment, Context)]) -> Vec<Result<Rent, BoxError>> {
        let apartments: Vec<_> = rows.iter().map(|(apartment, _)| apartment).collect();
        match self.rents(&apartments) {
            Ok(rents) => rents.into_iter().map(|rent| Ok(Rent { rent })).collect(),
            Err(error) => rows.iter().map(|_| Err(error.to_string().into())).collect(),
        }
    }
}

impl RentModel {
    /// Loads the pipeline that is compiled into the program.
    ///
    /// # Errors
    ///
    /// Fails if the file is damaged, has other inputs, or needs an operator that the runtime does not have.
    pub fn load() -> Result<Self, BoxError> {
        let pipeline = Model::load_static_slice(include_bytes!("../model/rent.onnx"))?;
        let inputs =
            COLUMNS.iter().map(|(name, _)| pipeline.node_id(name)).collect::<Result<_, _>>()?;
        // skl2onnx gives the output of a regressor this name.
        let output = pipeline.node_id("variable")?;
        Ok(Self { pipeline, inputs, output })
    }

    /// Runs the pipeline with a tensor of one column per input.
    fn rents(&self, apartments: &[&Apartment]) -> Result<Vec<f32>, BoxError> {
        let tensors = COLUMNS.iter().zip(&self.inputs).map(|((_, value), input)| {
            let column: Vec<_> = apartments.iter().map(|apartment| value(apartment)).collect();
            Ok((*input, Value::from_shape([apartments.len(), 1], column)?.into()))
        });
        let tensors = tensors.collect::<Result<Vec<_>, BoxError>>()?;
        let [rents] = self.pipeline.run_n(tensors, [self.output], None)?;
        let (_, rents) = rents.into_shape_vec::<f32, 2>()?;
        Ok(rents)
    }
}
