//! Questions to a webhook, and what came of them.

use std::error::Error;
use std::io::{Read, Write};
use std::net::SocketAddr;

use mesh_api::codec::Tree;
use serde_json::{Value, json};

use crate::client::Client;

const BUNDLED: &str = include_str!("mesh.yaml");

/// The objects of the files, or the bundled ones, as they are written.
pub(crate) fn objects(files: &[String]) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut texts = vec![("mesh.yaml".to_owned(), BUNDLED.to_owned())];
    if !files.is_empty() {
        texts.clear();
    }
    for file in files {
        let mut text = String::new();
        let opened = std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text));
        opened.map_err(|error| format!("cannot read `{file}`: {error}"))?;
        texts.push((file.clone(), text));
    }
    let mut objects = Vec::new();
    for (name, text) in &texts {
        for document in format!("\n{text}").split("\n---\n") {
            let tree = Tree::parse(name, document).map_err(|finding| finding.to_string())?;
            if !tree.root().is_null() {
                objects.push(tree.root().to_json());
            }
        }
    }
    Ok(objects)
}

/// Asks about each object, and prints one line for each answer.
pub(crate) fn all(
    address: SocketAddr,
    name: &str,
    root: &[u8],
    objects: &[Value],
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let mut client = Client::connect(address, name, root)?;
    for (number, object) in objects.iter().enumerate() {
        let uid = format!("question-{number}");
        let (status, body) = client.post("/validate", "application/json", &review(&uid, object))?;
        let answer: Value = serde_json::from_slice(&body)?;
        let response = &answer["response"];
        if status != 200 || response["uid"] != uid {
            return Err(format!("this is no answer: {status} {}", String::from_utf8_lossy(&body)).into());
        }
        print(object, response, out)?;
    }
    Ok(())
}

/// The review that the API server makes when the object is created.
pub(crate) fn review(uid: &str, object: &Value) -> Vec<u8> {
    let request = json!({
        "uid": uid,
        "operation": "CREATE",
        "namespace": object["metadata"]["namespace"].as_str().unwrap_or("default"),
        "object": object,
    });
    let review =
        json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request });
    review.to_string().into_bytes()
}

fn print(object: &Value, response: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = format!(
        "{} {}/{}",
        word(&object["kind"]),
        word(&object["metadata"]["namespace"]),
        word(&object["metadata"]["name"])
    );
    let verdict = if response["allowed"] == json!(true) {
        "allowed"
    } else {
        "denied"
    };
    writeln!(out, "{name}: {verdict}")?;
    if let Some(message) = response["status"]["message"].as_str() {
        writeln!(out, "  {message}")?;
    }
    for warning in response["warnings"].as_array().into_iter().flatten() {
        writeln!(out, "  warning: {}", word(warning))?;
    }
    Ok(())
}
