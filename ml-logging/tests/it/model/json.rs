//! Records of `JsonFormatter`.

use super::{
    Case,
    expected::Refusal,
    fields::{Expected, context, inner, message, of_event, of_spans, outside},
    form::JsonForm,
    names::BUILT_IN,
    times,
};

impl JsonForm {
    /// Names of the fields of every record: of the format, static ones, the timestamp and the message.
    fn names(&self) -> Vec<&str> {
        let fields = self.fields.iter().map(String::as_str);
        let statics = self.statics.iter().map(|(name, _)| name.as_str());
        let mut names = Vec::new();
        for name in fields.chain(statics).chain(self.timestamp.as_deref()).chain(["message"]) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The new key of a field; of two the last one counts.
    fn renamed<'a>(&'a self, name: &str) -> Option<&'a str> {
        let mut renames = self.renames.iter().rev();
        renames.find(|(from, _)| from == name).map(|(_, to)| to.as_str())
    }

    fn context_key(&self, name: &str) -> String {
        self.renamed(name).unwrap_or(name).to_owned()
    }

    /// The keys that no field gets by its own name.
    fn keys(&self) -> Vec<String> {
        let names = self.names();
        let mut keys: Vec<String> = names.iter().map(|name| self.context_key(name)).collect();
        let mut others: Vec<&str> = self.renames.iter().map(|(from, _)| from.as_str()).collect();
        others.sort_unstable();
        others.dedup();
        keys.extend(
            others.iter().filter(|from| !names.contains(from)).map(|from| self.context_key(from)),
        );
        keys
    }

    /// The key of a field that is not of the context.
    fn key(&self, name: &str) -> String {
        match self.renamed(name) {
            Some(to) if !self.names().contains(&name) => to.to_owned(),
            _ => {
                let keys = self.keys();
                let own = inner(name).0;
                let is_taken = own == "message" || keys.iter().any(|key| inner(key).0 == own);
                if is_taken { outside(&keys, name) } else { name.to_owned() }
            }
        }
    }

    fn is_own(&self, name: &str) -> bool {
        self.timestamp.as_deref() == Some(name) || self.statics.iter().any(|(own, _)| own == name)
    }
}

/// The members of a record.
pub fn expected(case: &Case, form: &JsonForm) -> Vec<(String, Expected)> {
    let value = |name: &str| {
        let found = form.statics.iter().find(|(own, _)| own == name);
        match (found, name) {
            (Some((_, value)), _) => Expected::or_null(&value.held()),
            (None, name) if form.timestamp.as_deref() == Some(name) => {
                Expected::Time(times::ISO_8601)
            }
            (None, "message") => message(case).map_or_else(Expected::null, Expected::of_message),
            (None, name) => context(case, name, form.times).unwrap(),
        }
    };
    let is_placed = |name: &str| form.fields.iter().any(|field| field == name);
    let mut record = Vec::new();
    let mut add = |name: &str| record.push((form.context_key(name), value(name)));
    form.fields.iter().for_each(|name| add(name));
    form.statics.iter().filter(|(name, _)| !is_placed(name)).for_each(|(name, _)| add(name));
    if message(case).is_some() && !is_placed("message") {
        add("message");
    }
    let own = of_event(case, str::to_owned);
    for (name, _, held) in &own {
        record.push((form.key(name), Expected::or_null(held)));
    }
    if let Some(name) = form.timestamp.as_deref().filter(|name| !is_placed(name)) {
        record.push((form.context_key(name), Expected::Time(times::ISO_8601)));
    }
    let taken = own.into_iter().map(|(name, ..)| name).collect();
    for (name, value) in of_spans(case, taken, str::to_owned, Expected::of) {
        record.push((form.key(&name), value));
    }
    record
}

/// Returns the possible errors of the form.
pub fn refusals(case: &Case, form: &JsonForm) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (index, name) in form.fields.iter().enumerate() {
        if form.fields[..index].contains(name) {
            refusals.push(Refusal::Repeated(name.clone()));
        }
        let is_known = BUILT_IN.contains(&name.as_str())
            || form.is_own(name)
            || case.provided.iter().any(|(provided, _)| provided == name);
        if !is_known {
            refusals.push(Refusal::Unknown(name.clone()));
        }
    }
    if form.is_own("message") {
        refusals.push(Refusal::FixedMessage);
    }
    let keys = form.keys();
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].contains(key) {
            refusals.push(Refusal::KeyTwice(key.clone()));
        }
    }
    // A field that is always the same and the time cannot both be there.
    if let Some(name) = &form.timestamp
        && form.statics.iter().any(|(own, _)| own == name)
    {
        refusals.push(Refusal::KeyTwice(form.context_key(name)));
    }
    refusals
}
