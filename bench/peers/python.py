"""Python as one would write it: csv, hashlib, digits of phones behind a plus, bodies of 40,000 members."""
import csv
import hashlib
import json
import re
import sys

NOT_DIGIT = re.compile(r"\D")


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def send(sink, members):
    sink.write(json.dumps({"accountId": "25", "audiences": [{"audienceId": "crm", "add": members}]}))


with open(sys.argv[1], newline="", encoding="utf-8") as source, open("/dev/null", "w") as sink:
    rows = csv.reader(source)
    header = next(rows)
    at_id, at_email, at_phone = header.index("Customer Id"), header.index("Email"), header.index("Phone 1")
    members = []
    for row in rows:
        members.append({
            "externalId": row[at_id],
            "hashedEmail": sha256(row[at_email].strip().lower()),
            "hashedPhone": sha256("+" + NOT_DIGIT.sub("", row[at_phone])),
        })
        if len(members) == 40000:
            send(sink, members)
            members = []
    send(sink, members)
