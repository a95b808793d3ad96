// Rust as one would write it: csv, sha2, serde_json, digits of phones behind a plus, bodies of 40,000 members.
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    external_id: String,
    hashed_email: String,
    hashed_phone: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Audience<'a> {
    audience_id: &'a str,
    add: &'a [Member],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    account_id: &'a str,
    audiences: [Audience<'a>; 1],
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

fn send(sink: &mut impl Write, members: &mut Vec<Member>) -> Result<(), Box<dyn Error>> {
    let audience = Audience {
        audience_id: "crm",
        add: members,
    };
    serde_json::to_writer(
        sink,
        &Body {
            account_id: "25",
            audiences: [audience],
        },
    )?;
    members.clear();
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("peer-rust FILE")?;
    let mut reader = csv::Reader::from_path(path)?;
    let mut sink = BufWriter::new(File::create("/dev/null")?);
    let headers = reader.headers()?.clone();
    let column = |name| headers.iter().position(|header| header == name).ok_or(name);
    let (id, email, phone) = (column("Customer Id")?, column("Email")?, column("Phone 1")?);

    let mut members = Vec::with_capacity(40_000);
    let mut row = csv::StringRecord::new();
    let mut digits = String::new();
    while reader.read_record(&mut row)? {
        digits.clear();
        digits.push('+');
        digits.extend(row[phone].chars().filter(char::is_ascii_digit));
        members.push(Member {
            external_id: row[id].to_string(),
            hashed_email: sha256(&row[email].trim().to_lowercase()),
            hashed_phone: sha256(&digits),
        });
        if members.len() == 40_000 {
            send(&mut sink, &mut members)?;
        }
    }
    send(&mut sink, &mut members)?;
    Ok(sink.flush()?)
}
