//! A JSON Schema that is ready to check values.

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::Value;

/// The address that the schema has while it is compiled. Nothing is loaded from it.
const ADDRESS: &str = "https://incident.invalid/schema.json";

/// A JSON Schema, compiled. `format` is checked too.
pub struct CompiledSchema {
    schemas: Schemas,
    root: SchemaIndex,
}

/// The first place where a value differs from its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaMismatch {
    /// A JSON pointer into the value; empty for the value as a whole.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl CompiledSchema {
    /// Compiles a schema of draft 2020-12. The error says why that is impossible.
    pub fn new(schema: &Value) -> Result<Self, String> {
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        compiler.add_resource(ADDRESS, schema.clone()).map_err(|error| error.to_string())?;
        let root = compiler.compile(ADDRESS, &mut schemas).map_err(|error| error.to_string())?;
        Ok(Self { schemas, root })
    }

    /// The first mismatch, or `None` if the value is valid.
    pub fn mismatch(&self, value: &Value) -> Option<SchemaMismatch> {
        let error = self.schemas.validate(value, self.root).err()?;
        // The outer errors only say that something within is wrong.
        let mut innermost = &error;
        while let Some(cause) = innermost.causes.first() {
            innermost = cause;
        }
        Some(SchemaMismatch {
            path: innermost.instance_location.to_string(),
            message: innermost.kind.to_string(),
        })
    }
}
