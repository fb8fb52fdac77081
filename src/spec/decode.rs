//! Value -> types, in a loop: a value of a wrong type is recorded, taken out, and decoding starts again, so that one
//! run tells all of them. Unknown keys are found on the way and compared with the schema.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use serde_path_to_error::Segment;
use serde_yaml::Value;

use super::tree::Node;
use super::{Spec, foreign, shown};
use crate::error::{Diagnostic, Place, Source, Step};
use crate::values::{HELP_MARK, nearest};

/// How many wrong values are told in one run.
const REPAIRS: usize = 100;
/// How many unknown keys are compared with the known ones.
const COMPARED: usize = 100;

/// What could be decoded.
pub(super) struct Decoded<T> {
    pub(super) value: T,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Places that were taken out.
    pub(super) broken: BTreeSet<Place>,
}

/// Decodes a value, as far as it goes.
pub(super) fn decode<T>(source: &Arc<Source>, root: &Node, mut value: Value) -> Decoded<T>
where
    T: DeserializeOwned + Default + JsonSchema,
{
    let mut out = Decoded { value: T::default(), diagnostics: Vec::new(), broken: BTreeSet::new() };
    let mut removed = Removed::default();
    let mut unknown = Vec::new();
    let at = |place: &Place, key: bool, message: &str, label: &str| {
        Diagnostic::at(source, shown(source, root.find(place, key)), message, label)
    };
    if !value.is_mapping() {
        let problem = Diagnostic::at(
            source,
            shown(source, (root.span.clone(), true)),
            "this is not a description",
            "no `key: value`",
        );
        out.diagnostics.push(problem.help("begin with `cluster: NAME`"));
        out.broken.insert(Place::root());
        return out;
    }
    for repair in 0..=REPAIRS {
        unknown.clear();
        let mut note = |path: serde_ignored::Path<'_>| unknown.push(ignored(&path));
        let deserializer = serde_ignored::Deserializer::new(&value, &mut note);
        let error = match serde_path_to_error::deserialize(deserializer) {
            Ok(decoded) => {
                out.value = decoded;
                break;
            }
            Err(error) => error,
        };
        let found = Place(error.path().iter().filter_map(step).collect());
        let place = removed.original(&found);
        // What is left of a mapping or a list after a repair may be wrong for that reason alone.
        let follows =
            out.broken.range(place.clone()..).next().is_some_and(|p| p != &place && p.0.starts_with(&place.0));
        if repair == REPAIRS {
            let message = format!("more than {REPAIRS} values are wrong; the rest is told when these are right");
            out.diagnostics.push(at(&place, false, &message, ""));
            out.broken.insert(Place::root());
            break;
        }
        if !follows {
            let (message, label, help) = explain(&place, &error.inner().to_string());
            let mut diagnostic = at(&place, false, &message, &label);
            diagnostic.help = help;
            out.diagnostics.push(diagnostic);
        }
        out.broken.insert(place);
        if found.0.is_empty() || !removed.remove(&mut value, &found) {
            break;
        }
    }
    let mut schema = None;
    let mut told = 0;
    for place in &unknown {
        let place = removed.original(place);
        let Some((Step::Key(key), parents)) = place.0.split_last() else { continue };
        if parents.is_empty() && key.starts_with("x-") {
            continue;
        }
        let mut diagnostic = at(&place, true, &format!("unknown key `{key}`"), "not known here");
        if told < COMPARED {
            let schema = schema.get_or_insert_with(schema_of::<T>);
            let known = keys_at(schema, parents);
            let near = nearest(key, known.iter().map(String::as_str));
            diagnostic.help = Some(match foreign::ours(key).map_or(near.map(Ok), |ours| Some(Err(ours))) {
                Some(Err(ours)) => ours,
                Some(Ok(near)) => {
                    // What was meant is there, so it is not missed.
                    out.broken.insert(Place(parents.to_vec()).key(near));
                    format!("did you mean `{near}`?")
                }
                None => {
                    format!("known here: {}", known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "))
                }
            });
        }
        told += 1;
        out.diagnostics.push(diagnostic);
    }
    out
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

fn ignored(path: &serde_ignored::Path<'_>) -> Place {
    use serde_ignored::Path;
    match path {
        Path::Root => Place::root(),
        Path::Seq { parent, index } => ignored(parent).index(*index),
        Path::Map { parent, key } => ignored(parent).key(key.clone()),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => ignored(parent),
    }
}

/// What was taken out of lists: the items after it have other indices than in the file.
#[derive(Default)]
struct Removed(BTreeMap<Place, BTreeSet<usize>>);

impl Removed {
    /// The place in the file of a place in the value as it is now.
    fn original(&self, now: &Place) -> Place {
        let mut place = Place::root();
        for step in &now.0 {
            match step {
                Step::Key(_) => place.0.push(step.clone()),
                Step::Index(index) => {
                    let mut index = *index;
                    for removed in self.0.get(&place).into_iter().flatten() {
                        index += usize::from(*removed <= index);
                    }
                    place.0.push(Step::Index(index));
                }
            }
        }
        place
    }

    /// Takes a place out of the value; false if it is not there.
    fn remove(&mut self, value: &mut Value, now: &Place) -> bool {
        let original = self.original(now);
        let Some((last, parents)) = now.0.split_last() else { return false };
        let mut parent = value;
        for step in parents {
            let next = match (step, parent) {
                (Step::Key(key), Value::Mapping(mapping)) => mapping.get_mut(key.as_str()),
                (Step::Index(index), Value::Sequence(items)) => items.get_mut(*index),
                _ => None,
            };
            let Some(next) = next else { return false };
            parent = next;
        }
        match (last, parent, original.0.split_last()) {
            (Step::Key(key), Value::Mapping(mapping), _) => mapping.shift_remove(key.as_str()).is_some(),
            (Step::Index(at), Value::Sequence(items), Some((Step::Index(kept), above))) if *at < items.len() => {
                items.remove(*at);
                self.0.entry(Place(above.to_vec())).or_default().insert(*kept);
                true
            }
            _ => false,
        }
    }
}

/// Puts serde's words into the user's: message, label, help.
fn explain(place: &Place, error: &str) -> (String, String, Option<String>) {
    let (error, help) = match error.split_once(HELP_MARK) {
        Some((error, help)) => (error, Some(help.to_owned())),
        None => (error, None),
    };
    let mut keys = place.0.iter().rev();
    let name = keys.find_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None });
    // What zeekctl's LogExpireInterval counts.
    let days =
        error.contains("has no unit").then(|| error.split('`').nth(1)).flatten().filter(|_| name == Some("expire"));
    let help = help.or_else(|| days.map(|days| format!("write `{days}d` for days, as zeekctl counts them")));
    let of = name.map(|name| format!(" of `{name}`")).unwrap_or_default();
    let typed = error.strip_prefix("invalid type: ").or_else(|| error.strip_prefix("invalid value: "));
    let Some((found, expected)) = typed.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return (format!("wrong value{of}: {error}"), String::new(), help);
    };
    let expected = match expected {
        "a string" => "a text",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number",
        other => other,
    };
    let found = match found {
        "unit value" | "null" => "nothing".to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "a mapping".to_owned(),
        other => match other.split_once(' ') {
            Some(("string", text)) => format!("the text {}", cut(text)),
            Some(("integer", number)) => format!("the number {number}"),
            Some(("boolean", value)) => value.to_owned(),
            Some(("floating", number)) => format!("the number {}", number.trim_start_matches("point ")),
            _ => cut(other),
        },
    };
    (format!("wrong value{of}: expected {expected}, found {found}"), format!("expected {expected}"), help)
}

fn cut(text: &str) -> String {
    const LONGEST: usize = 80;
    if text.chars().count() > LONGEST { text.chars().take(LONGEST).chain(['…']).collect() } else { text.to_owned() }
}

/// Returns the JSON Schema of a description.
pub fn schema() -> Json {
    let mut schema = schema_of::<Spec>();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), Json::from("A cluster of Zeek, described for clusterctl"));
        root.insert("patternProperties".to_owned(), serde_json::json!({ "^x-": {} }));
    }
    schema
}

fn schema_of<T: JsonSchema>() -> Json {
    let mut json = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    tidy(&mut json);
    json
}

/// A default of `null` says nothing, and numbers' formats are Rust's.
fn tidy(json: &mut Json) {
    match json {
        Json::Object(map) => {
            if map.get("default").is_some_and(Json::is_null) {
                map.remove("default");
            }
            if map.get("format").is_some_and(|f| f.as_str().is_some_and(|f| f.starts_with("uint"))) {
                map.remove("format");
            }
            map.values_mut().for_each(tidy);
        }
        Json::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// The keys that a schema knows at a place.
fn keys_at(root: &Json, steps: &[Step]) -> Vec<String> {
    let mut here = concrete(root, root);
    for step in steps {
        here = here
            .into_iter()
            .filter_map(|schema| match step {
                Step::Key(key) => schema
                    .get("properties")
                    .and_then(|p| p.get(key))
                    .or_else(|| schema.get("additionalProperties").filter(|a| a.is_object())),
                Step::Index(_) => schema.get("items"),
            })
            .flat_map(|schema| concrete(root, schema))
            .collect();
    }
    let keys = here.iter().filter_map(|schema| schema.get("properties")?.as_object());
    keys.flat_map(|properties| properties.keys().cloned()).collect()
}

/// Follows `$ref` and `anyOf`.
fn concrete<'a>(root: &'a Json, schema: &'a Json) -> Vec<&'a Json> {
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.map(|target| concrete(root, target)).unwrap_or_default();
    }
    match schema.get("anyOf").and_then(Json::as_array) {
        Some(any) => any.iter().flat_map(|schema| concrete(root, schema)).collect(),
        None => vec![schema],
    }
}
