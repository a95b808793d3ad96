// Go as one would write it: encoding/csv, crypto/sha256, encoding/json, digits of phones behind a plus, bodies of 40,000 members.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"os"
	"strings"
)

type member struct {
	ExternalID  string `json:"externalId"`
	HashedEmail string `json:"hashedEmail"`
	HashedPhone string `json:"hashedPhone"`
}

type audience struct {
	AudienceID string   `json:"audienceId"`
	Add        []member `json:"add"`
}

type body struct {
	AccountID string     `json:"accountId"`
	Audiences []audience `json:"audiences"`
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func digit(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}

func main() {
	source, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	sink, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	if err != nil {
		log.Fatal(err)
	}
	reader := csv.NewReader(bufio.NewReaderSize(source, 1<<16))
	reader.ReuseRecord = true
	head, err := reader.Read()
	if err != nil {
		log.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range head {
		column[name] = i
	}
	id, email, phone := column["Customer Id"], column["Email"], column["Phone 1"]

	encoder := json.NewEncoder(sink)
	members := make([]member, 0, 40000)
	send := func() {
		if err := encoder.Encode(body{"25", []audience{{"crm", members}}}); err != nil {
			log.Fatal(err)
		}
		members = members[:0]
	}
	for {
		row, err := reader.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		members = append(members, member{
			ExternalID:  row[id],
			HashedEmail: hashed(strings.ToLower(strings.TrimSpace(row[email]))),
			HashedPhone: hashed("+" + strings.Map(digit, row[phone])),
		})
		if len(members) == 40000 {
			send()
		}
	}
	send()
}
