//! Names in configurations: short names, and the class paths of Python services.

use heck::ToSnakeCase as _;

/// Returns the last part of a class path, which names the class.
pub(super) fn last_segment(path: &str) -> &str {
    path.rsplit(['.', ':']).next().unwrap_or(path)
}

/// Returns the short name of a decorator: `prediction_id` for
/// `ml_model_logging.prediction_id_decorator.PredictionIDDecorator`.
pub(super) fn decorator_name(path: &str) -> String {
    let name = last_segment(path).to_snake_case();
    match name.strip_suffix("_decorator") {
        Some(short) if !short.is_empty() => short.to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::decorator_name;

    #[test]
    fn class_paths_and_short_names_are_the_same_decorator() {
        for (path, name) in [
            ("prediction_id", "prediction_id"),
            ("ml_model_logging.prediction_id_decorator.PredictionIDDecorator", "prediction_id"),
            ("PredictionIdDecorator", "prediction_id"),
            ("ml_model_logging.logging_decorator.LoggingDecorator", "logging"),
            ("MetricsDecorator", "metrics"),
            ("my.pkg.TTLCache", "ttl_cache"),
            ("Decorator", "decorator"),
            ("", ""),
        ] {
            assert_eq!(decorator_name(path), name, "{path}");
        }
    }
}
