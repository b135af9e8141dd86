//! Names and templates that a day's file holds once. Each has a number.
//!
//! A new one is kept in memory until the transaction that first uses it writes it.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rusqlite::{Connection, params};

use crate::record::{Members, Record, Role, role, write_member};

/// Number of templates with all their members. Further ones keep only the members that the store
/// searches; the rest is kept with each prediction.
const FULL_TEMPLATES: usize = 4096;
/// Number of fields with roll-ups.
const FIELDS: usize = 256;
/// Number of different texts of a field that are counted one by one.
const CATEGORIES: usize = 200;

/// Field number of the latency.
pub(crate) const LATENCY: u32 = 0;
/// Category of texts beyond the limit.
pub(crate) const OTHER_CATEGORY: i32 = 0;

/// Part of a record that many records share.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) level: String,
    pub(crate) logger: String,
    pub(crate) model: String,
    pub(crate) version: String,
    pub(crate) instance: String,
}

/// The names of a day.
#[derive(Default)]
pub(crate) struct Names {
    template_ids: HashMap<String, u32, RandomState>,
    templates: Vec<Template>,
    series: HashMap<(String, String, String, i64), u32>,
    /// Series by template and status.
    series_of_template: HashMap<(u32, i64), u32, RandomState>,
    /// Names of fields, and whether they are outputs. A day has few, so that a search is fast.
    fields: Vec<(String, bool)>,
    categories: HashMap<(u32, String), i32, RandomState>,
    categories_of_field: HashMap<u32, usize>,
    fresh: Fresh,
}

/// What the file does not have yet.
#[derive(Default)]
struct Fresh {
    templates: Vec<(u32, String)>,
    series: Vec<(u32, (String, String, String, i64))>,
    fields: Vec<(u32, (String, bool))>,
    categories: Vec<(i32, (u32, String))>,
}

impl Names {
    /// Reads the names of a file.
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut names = Self::default();
        let mut statement = connection.prepare(
            "SELECT body, level, logger, model, version, instance FROM templates ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            names.templates.push(Template {
                level: row.get(1)?,
                logger: row.get(2)?,
                model: row.get(3)?,
                version: row.get(4)?,
                instance: row.get(5)?,
            });
            names.template_ids.insert(row.get(0)?, names.templates.len() as u32);
        }
        let mut statement =
            connection.prepare("SELECT id, model, version, instance, status FROM series")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            names.series.insert(key, row.get(0)?);
        }
        let mut statement = connection.prepare("SELECT name, is_output FROM fields ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            names.fields.push((row.get(0)?, row.get(1)?));
        }
        let mut statement = connection.prepare("SELECT id, field, value FROM categories")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let field = row.get(1)?;
            names.categories.insert((field, row.get(2)?), row.get(0)?);
            *names.categories_of_field.entry(field).or_default() += 1;
        }
        Ok(names)
    }

    /// Returns the number of a record's template. Members that the template leaves out are moved to
    /// `extra`.
    pub(crate) fn template(&mut self, record: &Record<'_>, body: &str, extra: &mut String) -> u32 {
        if let Some(id) = self.template_ids.get(body) {
            return *id;
        }
        if self.templates.len() >= FULL_TEMPLATES {
            let body = without_context(body, extra);
            return match self.template_ids.get(&body) {
                Some(id) => *id,
                None => self.add_template(record, body),
            };
        }
        self.add_template(record, body.to_owned())
    }

    fn add_template(&mut self, record: &Record<'_>, body: String) -> u32 {
        self.templates.push(Template {
            level: record.level.to_string(),
            logger: record.logger.to_string(),
            model: record.model.to_string(),
            version: record.version.to_string(),
            instance: record.instance.to_string(),
        });
        let id = self.templates.len() as u32;
        self.fresh.templates.push((id, body.clone()));
        self.template_ids.insert(body, id);
        id
    }

    /// Returns a template by its number.
    pub(crate) fn template_of(&self, id: u32) -> Option<&Template> {
        self.templates.get(id as usize - 1)
    }

    /// Returns the series of predictions with a template and a status.
    pub(crate) fn series(&mut self, template: u32, status: i64) -> u32 {
        if let Some(id) = self.series_of_template.get(&(template, status)) {
            return *id;
        }
        let key = match self.template_of(template) {
            Some(Template { model, version, instance, .. }) => {
                (model.clone(), version.clone(), instance.clone(), status)
            }
            None => Default::default(),
        };
        let next = self.series.len() as u32 + 1;
        let id = *self.series.entry(key.clone()).or_insert(next);
        if id == next {
            self.fresh.series.push((id, key));
        }
        self.series_of_template.insert((template, status), id);
        id
    }

    /// Returns the number of a field; `None` beyond the limit.
    pub(crate) fn field(&mut self, name: &str, is_output: bool) -> Option<u32> {
        let known = |(own, output): &(String, bool)| own == name && *output == is_output;
        if let Some(index) = self.fields.iter().position(known) {
            return Some(index as u32 + 1);
        }
        if self.fields.len() >= FIELDS {
            return None;
        }
        let key = (name.to_owned(), is_output);
        self.fields.push(key.clone());
        let id = self.fields.len() as u32;
        self.fresh.fields.push((id, key));
        Some(id)
    }

    /// Returns the number of a text of a field.
    pub(crate) fn category(&mut self, field: u32, value: &str) -> i32 {
        const LONGEST: usize = 100;
        let end = value.char_indices().nth(LONGEST).map_or(value.len(), |(end, _)| end);
        let key = (field, value[..end].to_owned());
        if let Some(id) = self.categories.get(&key) {
            return *id;
        }
        let count = self.categories_of_field.entry(field).or_default();
        if *count >= CATEGORIES {
            return OTHER_CATEGORY;
        }
        *count += 1;
        let id = self.categories.len() as i32 + 1;
        self.fresh.categories.push((id, key.clone()));
        self.categories.insert(key, id);
        id
    }

    /// Writes what the file does not have yet. Call [`written`](Self::written) after the commit.
    pub(crate) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        for (id, body) in &self.fresh.templates {
            let Some(Template { level, logger, model, version, instance }) = self.template_of(*id)
            else {
                continue;
            };
            connection.execute(
                "INSERT INTO templates (id, level, logger, model, version, instance, body) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![id, level, logger, model, version, instance, body],
            )?;
        }
        for (id, (model, version, instance, status)) in &self.fresh.series {
            connection.execute(
                "INSERT INTO series (id, model, version, instance, status) VALUES (?, ?, ?, ?, ?)",
                params![id, model, version, instance, status],
            )?;
        }
        for (id, (name, is_output)) in &self.fresh.fields {
            let sql = "INSERT INTO fields (id, name, is_output) VALUES (?, ?, ?)";
            connection.execute(sql, params![id, name, is_output])?;
        }
        for (id, (field, value)) in &self.fresh.categories {
            let sql = "INSERT INTO categories (id, field, value) VALUES (?, ?, ?)";
            connection.execute(sql, params![id, field, value])?;
        }
        Ok(())
    }

    /// Notes that everything is in the file.
    pub(crate) fn written(&mut self) {
        self.fresh = Fresh::default();
    }
}

/// Moves the context that the store does not search from a template to `extra`.
fn without_context(body: &str, extra: &mut String) -> String {
    let mut kept = String::new();
    let closed = format!("{body}}}");
    let mut is_event = false;
    for (name, value) in Members::read(&closed).map_or_else(Vec::new, |members| members.0) {
        let role = role(&name, is_event);
        is_event |= role == Role::Action;
        let target = match role {
            Role::Process | Role::Thread | Role::Ecs | Role::Other => &mut *extra,
            _ => &mut kept,
        };
        write_member(target, &name, value);
    }
    kept
}
