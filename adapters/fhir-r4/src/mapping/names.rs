//! `HumanName` (R4, section 2.24.0.13): as the registry gives it, in each script that it gives it in.

use adapter_sdk::model::{Extra, HumanName, NameUse};
use serde_json::Value;

use super::{codes, kept};
use crate::Rules;
use crate::json::{Extensions, Notes, Object, scalar};

/// R4, `language`: the language, with its script, of a name or of a part of it.
const LANGUAGE: &str = "http://hl7.org/fhir/StructureDefinition/language";
/// R4, `translation`: the same text in another language or script.
const TRANSLATION: &str = "http://hl7.org/fhir/StructureDefinition/translation";

/// All names of a person, contact or related person: `name` is a list, or one.
pub(super) fn names(holder: &Object<'_>, rules: &Rules, notes: &mut Notes) -> Vec<HumanName> {
    let mut names = Vec::new();
    for object in notes.objects(holder, "name", "names") {
        let name = name(&object, rules, notes);
        let translated = translations(&object, &name);
        let filled = |it: &HumanName| !it.is_empty() || !it.prefix.is_empty();
        names.extend([name].into_iter().filter(filled));
        names.extend(translated);
    }
    names
}

fn name(object: &Object<'_>, rules: &Rules, notes: &mut Notes) -> HumanName {
    let mut extra = kept::fields(
        object,
        &[
            "id",
            "use",
            "text",
            "_text",
            "family",
            "_family",
            "given",
            "_given",
            "prefix",
            "suffix",
            "extension",
        ],
        rules,
    );
    extra.extend(kept::rest(&object.extensions(), &[LANGUAGE], rules));
    extra.extend(parts(object, rules));
    HumanName {
        use_: name_use(object, notes),
        text: notes.text(object, "text", "names.text"),
        family: notes.text(object, "family", "names.family"),
        given: notes.texts(object, "given", "names.given"),
        prefix: notes.texts(object, "prefix", "names.prefix"),
        suffix: notes.texts(object, "suffix", "names.suffix"),
        language: language(object),
        extra,
    }
}

fn name_use(object: &Object<'_>, notes: &mut Notes) -> Option<NameUse> {
    let word = notes.text(object, "use", "names.use")?;
    match word.as_str() {
        // Of FHIR, and without a case in the contract.
        "temp" | "anonymous" => Some(NameUse::Other(word)),
        _ => codes::NAME_USE.read("names.use", &word, &mut notes.0),
    }
}

/// The extensions of a name's parts: those of `text` and `family`, and of each of `given`.
fn of_parts<'a>(object: &Object<'a>) -> Vec<Extensions<'a>> {
    let single = ["_text", "_family"].into_iter();
    let single = single.filter_map(|name| object.object(name));
    let given = object.get("_given").and_then(Value::as_array);
    let given = given.into_iter().flatten().filter_map(Object::new);
    single.chain(given).map(|it| it.extensions()).collect()
}

/// The language of the name, or of all its parts that tell one.
fn language(object: &Object<'_>) -> Option<String> {
    let own = object.extensions().first(LANGUAGE);
    if let Some(code) = own.and_then(|it| it.text("valueCode")) {
        return Some(code.to_owned());
    }
    let parts = of_parts(object);
    let mut told = parts
        .iter()
        .filter_map(|it| it.first(LANGUAGE)?.text("valueCode"));
    let first = told.next()?;
    told.all(|other| other == first).then(|| first.to_owned())
}

/// What the parts' extensions say besides (`humanname-own-prefix` and the like).
fn parts(object: &Object<'_>, rules: &Rules) -> Option<Extra> {
    let parts = of_parts(object).into_iter();
    let rest: Vec<Value> = parts
        .flat_map(|it| it.rest(&[LANGUAGE, TRANSLATION]))
        .collect();
    (!rest.is_empty()).then(|| Extra::new(rules.key("parts"), &Value::Array(rest)))
}

/// The name in its other languages and scripts: one more name for each.
fn translations(object: &Object<'_>, of: &HumanName) -> Vec<HumanName> {
    let mut names: Vec<HumanName> = Vec::new();
    let mut put = |extensions: &Extensions<'_>, place: fn(&mut HumanName, String)| {
        for translation in extensions.all(TRANSLATION) {
            let inside = translation.extensions();
            let lang = inside.first("lang").and_then(|it| it.text("valueCode"));
            let content = inside.first("content");
            let content = content.and_then(|it| {
                let value = it.get("valueString").or_else(|| it.get("valueMarkdown"))?;
                scalar(value)
            });
            let (Some(lang), Some(content)) = (lang, content) else {
                continue;
            };
            let at = names
                .iter()
                .position(|it| it.language.as_deref() == Some(lang));
            let at = at.unwrap_or_else(|| {
                names.push(HumanName {
                    use_: of.use_.clone(),
                    language: Some(lang.to_owned()),
                    ..HumanName::default()
                });
                names.len() - 1
            });
            if let Some(name) = names.get_mut(at) {
                place(name, content);
            }
        }
    };
    let extensions = |name: &str| object.object(name).map(|it| it.extensions());
    put(&extensions("_text").unwrap_or_default(), |name, it| {
        name.text = Some(it)
    });
    put(&extensions("_family").unwrap_or_default(), |name, it| {
        name.family = Some(it)
    });
    let given = object.get("_given").and_then(Value::as_array);
    for part in given.into_iter().flatten().filter_map(Object::new) {
        put(&part.extensions(), |name, it| name.given.push(it));
    }
    names
}
