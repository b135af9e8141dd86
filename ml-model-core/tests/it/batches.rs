//! Tests batches: many predictions in one call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{Input, Logged, Output, logged};
use ml_model_core::{
    Answer, BatchRow, Context, Decorated, Decorator, Infer, MLModel, PredictionError, PredictionId,
    Request, Stack, Violation, metrics,
};
use tracing_subscriber::filter::LevelFilter;

/// A model that predicts row by row.
#[derive(MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age"], output_fields = ["charges"]))]
struct RowModel;
infer!(RowModel);

/// A model that predicts all rows at once. It panics at 50 and leaves out 60.
#[derive(Default, MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["age"], output_fields = ["charges"]))]
struct WholeModel {
    calls: AtomicUsize,
}

impl Infer for WholeModel {
    type Input = Input;
    type Output = Output;
    type Error = crate::common::ModelError;

    fn infer(&self, input: &Input) -> Result<Output, Self::Error> {
        crate::common::charges(input)
    }

    const TAKES_BATCHES: bool = true;

    fn infer_batch(&self, rows: &[(Input, Context)]) -> Vec<Result<Output, Self::Error>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        assert!(rows.iter().all(|(_, context)| context.prediction_id().is_some()));
        let rows = rows.iter().filter(|(input, _)| input.age != 60);
        rows.map(|(input, _)| crate::common::charges(input)).collect()
    }
}

fn requests(ages: &[u8]) -> Vec<Request<Input>> {
    let batch_id: PredictionId = "batch-1".try_into().unwrap();
    let request = |(row, age): (usize, &u8)| {
        let mut request = match age {
            0 => Request::invalid(vec![Violation::new("age", "is too low")]),
            age => Request::new(Input { age: *age, ..Input::example() }),
        };
        request.context_mut().set_batch_row(BatchRow { batch_id: batch_id.clone(), row });
        request
    };
    ages.iter().enumerate().map(request).collect()
}

fn charges(results: &[Answer<Output>]) -> Vec<Option<f64>> {
    results.iter().map(|result| result.as_ref().ok().map(|prediction| prediction.charges)).collect()
}

/// Asserts that each row has two records with the id of the batch, the index of the row and a common
/// prediction id.
fn assert_recorded(records: &[Logged], rows: usize) {
    let own: Vec<_> = records.iter().filter(|record| record.target.ends_with("_logger")).collect();
    assert_eq!(own.len(), 2 * rows);
    for row in 0..rows {
        let of_row = |record: &&&Logged| record.get("row") == Some(row.to_string().as_str());
        let [requested, ended] = own.iter().filter(of_row).collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(requested.message(), "Prediction requested.");
        assert_ne!(ended.message(), "Prediction requested.");
        assert_eq!(requested.get("prediction_id"), ended.get("prediction_id"));
        assert!(requested.get("prediction_id").is_some());
        for record in [requested, ended] {
            assert_eq!(record.get("batch_id"), Some("batch-1"));
            assert_eq!(
                record.declared[..7],
                [
                    "message",
                    "action",
                    "model_qualified_name",
                    "model_version",
                    "prediction_id",
                    "batch_id",
                    "row"
                ]
            );
        }
    }
}

#[test]
fn a_row_that_fails_does_not_fail_the_others() {
    let ages = [25, 40, 0, 30];
    let expected = [Some(250.0), None, None, Some(300.0)];
    let (results, records) = logged(LevelFilter::INFO, || RowModel.call_batch(requests(&ages)));
    assert_eq!(charges(&results), expected);
    assert_recorded(&records, 4);

    let model = WholeModel::default();
    let (results, records) = logged(LevelFilter::INFO, || model.call_batch(requests(&ages)));
    assert_eq!(charges(&results), expected);
    assert_recorded(&records, 4);
    assert_eq!(model.calls.into_inner(), 1);
    assert!(matches!(results[1], Err(PredictionError::Model(_))));
    assert!(matches!(results[2], Err(PredictionError::InvalidInput(_))));
    let ids = results.iter().flatten().filter_map(|prediction| prediction.prediction_id());
    assert_eq!(ids.count(), 2);
}

#[test]
fn a_panic_ends_every_row_of_the_batch() {
    let model = WholeModel::default();
    let (panic, records) = logged(LevelFilter::INFO, || {
        catch_unwind(AssertUnwindSafe(|| model.call_batch(requests(&[25, 50]))))
    });
    assert!(panic.is_err());
    assert_recorded(&records, 2);
    let ended = records.iter().filter(|record| record.message() == "Prediction exception.");
    assert!(ended.clone().all(|record| record.get("error_info") == Some("panic: fifty")));
    assert_eq!(ended.count(), 2);
}

#[test]
fn rows_that_the_model_leaves_out_are_errors() {
    let results = WholeModel::default().call_batch(requests(&[25, 60]));
    assert_eq!(charges(&results), [Some(250.0), None]);
    let message = ml_model_core::error_chain(results[1].as_ref().unwrap_err()).to_string();
    assert_eq!(message, "the model has returned 1 outputs for 2 rows");
}

/// A decorator without support for batches.
struct Halved;

impl<M: MLModel<Output = Output>> Decorator<M> for Halved {
    fn call(&self, model: &M, request: Request<M::Input>) -> Answer<Output> {
        let mut prediction = model.call(request)?;
        prediction.charges /= 2.0;
        Ok(prediction)
    }
}

#[test]
fn a_decorator_without_batches_handles_every_row() {
    let model = WholeModel::default();
    assert!(model.takes_batches());
    let model = Decorated::new(Halved, model);
    assert!(!model.takes_batches());
    assert_eq!(charges(&model.call_batch(requests(&[20, 30]))), [Some(100.0), Some(150.0)]);
    assert_eq!(model.calls.load(Ordering::Relaxed), 0);
}

#[test]
fn every_row_is_counted_once() {
    let counted = |name: &str| {
        let counts = metrics::snapshot().find(|counts| counts.model == name);
        counts.map_or((0, 0), |counts| (counts.succeeded, counts.failed))
    };
    let rows = || {
        let rows = [25, 40, 30].map(|age| serde_json::to_value(Input { age, ..Input::example() }));
        rows.map(|row| Request::new(row.unwrap())).into_iter().collect()
    };
    let model = Stack::around(WholeModel::default()).metrics().prediction_id().metrics();
    let model = model.into_model();
    assert!(model.takes_batches());
    assert_eq!(model.call_batch(rows()).len(), 3);
    assert_eq!(counted("whole_model"), (2, 1));
    let model = Stack::around(RowModel).metrics().prediction_id().metrics().into_model();
    assert_eq!(model.call_batch(rows()).len(), 3);
    assert_eq!(counted("row_model"), (2, 1));
}

#[test]
fn a_stack_chosen_at_run_time_takes_batches_too() {
    assert!(Stack::around(WholeModel::default()).prediction_id().into_model().takes_batches());
    assert!(!Stack::around(RowModel).prediction_id().into_model().takes_batches());
}
