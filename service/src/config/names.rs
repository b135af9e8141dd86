//! Names as configurations write them: short ones, and the class paths of Python services.

/// The name that counts: the last part of a class path.
pub(super) fn last_segment(path: &str) -> &str {
    path.rsplit(['.', ':']).next().unwrap_or(path)
}

/// The short name of a decorator: `ml_model_logging.prediction_id_decorator.PredictionIDDecorator`
/// is `prediction_id`.
pub(super) fn decorator_name(path: &str) -> String {
    let name = snake_case(last_segment(path));
    match name.strip_suffix("_decorator") {
        Some(short) if !short.is_empty() => short.to_owned(),
        _ => name,
    }
}

/// `PredictionIDDecorator` as `prediction_id_decorator`.
fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (index, character) in characters.iter().enumerate() {
        let after_lower = index > 0 && !characters[index - 1].is_uppercase();
        let before_lower = characters.get(index + 1).is_some_and(|next| next.is_lowercase());
        let starts_word = character.is_uppercase() && (after_lower || before_lower);
        if starts_word && index > 0 && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
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
