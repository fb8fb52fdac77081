//! The JSON Schema of a description, from the declarations that read it.

use serde_json::{Map, Value as Json, json};

/// How deep sections lie: `nodes.NAME.hosts.NAME.limits`.
const DEPTH: usize = 6;

/// The named schemas that others refer to.
#[derive(Default)]
pub(super) struct Schemas(Map<String, Json>);

impl Schemas {
    /// Returns a reference to a named schema, which is made when it is referred to first.
    pub(super) fn define(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Json) -> Json {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Json::Null);
            let schema = make(self);
            self.0.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    pub(super) fn into_map(self) -> Map<String, Json> {
        self.0
    }
}

/// What a schema says, or nothing at all.
pub(super) fn nullable(schema: Json) -> Json {
    let null = json!("null");
    match schema {
        Json::Object(mut map) => match map.get("type").cloned() {
            None => json!({ "anyOf": [map, { "type": "null" }] }),
            Some(Json::Array(types)) if types.contains(&null) => Json::Object(map),
            Some(Json::Array(mut types)) => {
                types.push(null);
                map.insert("type".to_owned(), Json::Array(types));
                Json::Object(map)
            }
            Some(one) => {
                map.insert("type".to_owned(), json!([one, "null"]));
                Json::Object(map)
            }
        },
        other => other,
    }
}

/// A schema with what the lines of a doc comment say.
pub(super) fn described(schema: Json, doc: &[&str]) -> Json {
    match schema {
        Json::Object(mut map) => {
            map.insert("description".to_owned(), Json::from(text(doc)));
            Json::Object(map)
        }
        other => other,
    }
}

/// Returns where a description has a key: the sections, such as `zeek` or `hosts.NAME`, those that are nearest to the top
/// first; the top itself is empty.
pub(super) fn sections(key: &str, schema: impl FnOnce(&mut Schemas) -> Json) -> Vec<String> {
    let mut schemas = Schemas::default();
    let root = schema(&mut schemas);
    let mut found = Vec::new();
    let mut level = vec![(String::new(), &root)];
    for _ in 0..DEPTH {
        let mut next = Vec::new();
        while let Some((section, schema)) = level.pop() {
            let Some(schema) = schema.as_object() else { continue };
            let below = |name: &str| if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
            for (word, value) in schema {
                match (word.as_str(), value) {
                    ("properties", Json::Object(properties)) => {
                        if properties.contains_key(key) && !found.contains(&section) {
                            found.push(section.clone());
                        }
                        next.extend(properties.iter().map(|(name, schema)| (below(name), schema)));
                    }
                    ("additionalProperties", Json::Object(_)) => next.push((below("NAME"), value)),
                    ("anyOf", Json::Array(forms)) => level.extend(forms.iter().map(|form| (section.clone(), form))),
                    ("$ref", Json::String(to)) => {
                        let named = to.rsplit('/').next().and_then(|name| schemas.0.get(name));
                        level.extend(named.map(|schema| (section.clone(), schema)));
                    }
                    _ => {}
                }
            }
        }
        next.reverse();
        level = next;
    }
    found
}

fn text(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}
