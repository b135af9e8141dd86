//! The keys that records have besides their logged fields.

/// Keys at the start of every record.
pub(crate) const HEAD: [&str; 4] = ["message", "action", "model_qualified_name", "model_version"];

/// Keys in the records of a batch.
pub(crate) const BATCH: [&str; 2] = ["batch_id", "row"];

/// Key in the records of a sampled logger.
pub(crate) const SAMPLE_RATE: &str = "sample_rate";

/// Keys in the records of a batch of a sampled logger.
pub(crate) const SAMPLED_BATCH: [&str; 3] = [BATCH[0], BATCH[1], SAMPLE_RATE];

/// Keys in the record that ends a prediction.
pub(crate) const OUTCOME: [&str; 2] = ["status", "duration_ms"];

/// Key in the record of a failed prediction.
pub(crate) const ERROR: &str = "error_info";

/// Keys that no logged field can have. `prediction_id` is not among them, because it may be listed as a
/// field.
pub const RECORD_KEYS: &[&str] = {
    let ([message, action, qualified_name, version], [batch_id, row]) = (HEAD, BATCH);
    let [status, duration] = OUTCOME;
    &[message, action, qualified_name, version, batch_id, row, SAMPLE_RATE, status, duration, ERROR]
};
