//! The settings that a scenario offers, as JSON for lists.

use serde_json::{Value, json};

use crate::scenario::file::{ParameterValue, ScenarioFile};

/// `[{"name", "default", "about"?, "min"?, "max"?, "one_of"?}]`
pub(in crate::scenario) fn listed_parameters(file: &ScenarioFile) -> Vec<Value> {
    let listed = file.parameters.0.iter().map(|(name, parameter)| {
        let mut item = json!({ "name": name.get_ref(), "default": value(&parameter.default) });
        let one_of: Vec<Value> = parameter.one_of.iter().map(value).collect();
        let more = [
            ("about", parameter.about.as_deref().map(Value::from)),
            ("min", parameter.min.map(Value::from)),
            ("max", parameter.max.map(Value::from)),
            ("one_of", (!one_of.is_empty()).then(|| one_of.into())),
        ];
        for (key, value) in more {
            if let Some(value) = value {
                item[key] = value;
            }
        }
        item
    });
    listed.collect()
}

/// `[{"name", "about"?}]`
pub(in crate::scenario) fn listed_variants(file: &ScenarioFile) -> Vec<Value> {
    let listed = file.variant.0.iter().map(|(name, variant)| {
        let mut item = json!({ "name": name.get_ref() });
        if let Some(about) = &variant.about {
            item["about"] = about.as_str().into();
        }
        item
    });
    listed.collect()
}

fn value(value: &ParameterValue) -> Value {
    match value {
        ParameterValue::Text(text) => text.as_str().into(),
        ParameterValue::Whole(number) => (*number).into(),
        ParameterValue::Number(number) => (*number).into(),
        ParameterValue::Bool(value) => (*value).into(),
    }
}
