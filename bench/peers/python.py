"""Python as one would write it: csv.DictReader, hashlib, digits of phones behind a plus, bodies of 40,000 members."""
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
    members = []
    for row in csv.DictReader(source):
        members.append({
            "externalId": row["Customer Id"],
            "hashedEmail": sha256(row["Email"].strip().lower()),
            "hashedPhone": sha256("+" + NOT_DIGIT.sub("", row["Phone 1"])),
        })
        if len(members) == 40000:
            send(sink, members)
            members = []
    send(sink, members)
