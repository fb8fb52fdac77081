//! Mappings with keys of their own: one declaration makes the type, its reader and its schema.

use serde_json::{Map, Value as Json, json};

use super::decode::{At, Form, Reader};
use super::schema::Schemas;
use super::tree::Entry;

/// A mapping with keys of its own, each of which may be left out.
pub(super) trait Table: Default {
    /// Reads one entry; false if its key is not known.
    fn entry(&mut self, at: &At<'_>, entry: &Entry, reader: &mut Reader<'_>) -> bool;

    /// The keys that are known.
    fn keys() -> Vec<&'static str>;

    /// The schemas of the keys.
    fn properties(schemas: &mut Schemas) -> Map<String, Json>;
}

/// Reads a table; an empty value is a table without entries.
pub(super) fn decode<T: Table>(at: &At<'_>, reader: &mut Reader<'_>) -> Option<T> {
    let mut table = T::default();
    match at.form() {
        Form::Nothing => {}
        Form::Mapping(mapping) => {
            for entry in &mapping.entries {
                if !table.entry(at, entry, reader) {
                    reader.unknown(at, entry, &T::keys());
                }
            }
        }
        _ => return reader.unexpected(at, "a mapping"),
    }
    Some(table)
}

/// Returns the schema of a table, by its name.
pub(super) fn schema<T: Table>(name: &str, doc: &[&str], schemas: &mut Schemas) -> Json {
    schemas.define(name, |schemas| {
        let properties = T::properties(schemas);
        let schema = json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false });
        super::schema::described(schema, doc)
    })
}

/// Declares tables: structs whose fields are keys, with the doc comments as the schema's descriptions. `name as "key"`
/// gives a field another key; `..name: Type` adds the keys of another table.
macro_rules! tables {
    ($(
        $(#[doc = $doc:literal])+
        $vis:vis struct $name:ident {
            $(..$taken:ident: $taken_type:ty,)?
            $($(#[doc = $help:literal])+ $field:ident $(as $key:literal)?: $type:ty,)*
        }
    )*) => { $(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Default, PartialEq)]
        $vis struct $name {
            $(#[doc = "The keys that it has in common with others."] $vis $taken: $taken_type,)?
            $($(#[doc = $help])+ $vis $field: $type,)*
        }

        impl $crate::spec::table::Table for $name {
            fn entry(
                &mut self,
                at: &$crate::spec::decode::At<'_>,
                entry: &$crate::spec::tree::Entry,
                reader: &mut $crate::spec::decode::Reader<'_>,
            ) -> bool {
                $(
                    if entry.key == $crate::spec::table::key!($field $($key)?) {
                        if let Some(value) = reader.decode(&at.entry(entry)) {
                            self.$field = value;
                        }
                        return true;
                    }
                )*
                $(if self.$taken.entry(at, entry, reader) { return true; })?
                false
            }

            fn keys() -> Vec<&'static str> {
                #[allow(unused_mut, reason = "not every table takes another one in")]
                let mut keys = vec![$($crate::spec::table::key!($field $($key)?)),*];
                $(keys.extend(<$taken_type>::keys());)?
                keys
            }

            fn properties(
                schemas: &mut $crate::spec::schema::Schemas,
            ) -> serde_json::Map<String, serde_json::Value> {
                let mut properties = serde_json::Map::new();
                $(
                    let schema = <$type as $crate::spec::decode::Decode>::schema(schemas);
                    let schema = $crate::spec::schema::described(schema, &[$($help),+]);
                    properties.insert($crate::spec::table::key!($field $($key)?).to_owned(), schema);
                )*
                $(properties.extend(<$taken_type>::properties(schemas));)?
                properties
            }
        }

        impl $crate::spec::decode::Decode for $name {
            fn decode(
                at: &$crate::spec::decode::At<'_>,
                reader: &mut $crate::spec::decode::Reader<'_>,
            ) -> Option<Self> {
                $crate::spec::table::decode(at, reader)
            }

            fn schema(schemas: &mut $crate::spec::schema::Schemas) -> serde_json::Value {
                $crate::spec::table::schema::<Self>(stringify!($name), &[$($doc),+], schemas)
            }
        }
    )* };
}
pub(super) use tables;

/// The key of a field: its name, unless it has another.
macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}
pub(super) use key;
