-- Mutants of csrc/core that were written by hand: a comparison, a bound or a sign each. The specs of spec/core,
-- spec/input and spec/identity have to notice them, or those of SPECS. `from` occurs once in its file.
-- A third text says why nothing can notice the mutant.
local BY_FILE = {
  ["rows/csv.c"] = {
    { "null.n < SC3_NULL_MAX ?", "null.n > SC3_NULL_MAX ?" },
    { "csv->header_read || !csv->has_header ? csv->row + 1", "csv->header_read || !csv->has_header ? csv->row" },
    { "sc3_input_head(in)[1] != '\\n')", "sc3_input_head(in)[1] == '\\n')" },
    { "if (s->count == 1 && csv->columns == 1)", "if (s->count == 1 || csv->columns == 1)" },
    { "csv->input.finished || text.n > SC3_ROW_MAX", "csv->input.finished" },
    { "s->count != csv->columns + csv->width.extra", "s->count != csv->columns" },
  },
  ["rows/csv_head.c"] = {
    { "p[3] == '='", "p[3] != '='" },
    { "if (behind != '\\0' && behind != delimiter)", "if (behind != '\\0' && behind == delimiter)" },
    { "csv->skip_lf = p[length] == '\\r'", "csv->skip_lf = 0" },
    { "csv->skip_lf = mark < end && *mark == '\\r'", "csv->skip_lf = 0" },
    { "csv->skip_lines -= csv->skip_lines > 0", "csv->skip_lines -= 0" },
    { "if (length == 0)", "if (length != 0)" },
  },
  ["rows/csv_sniff.c"] = {
    { "c->of[i] > c->of[best]", "c->of[i] >= c->of[best]" },
    { "!quoted && (*p == '\\n'", "(*p == '\\n'" },
    { "(first == '{' ? '\"' : '{')", "(first == '{' ? '{' : '\"')" },
  },
  ["rows/csv_width.c"] = {
    { "w->row + 1 == row->number", "w->row == row->number" },
    { "l->short_rows < SC3_SHORT_MAX", "l->short_rows <= SC3_SHORT_MAX" },
    { "return row->inner > 0 ?", "return row->inner < 0 ?" },
    { "l->longer_rows += row->count == row->columns + 1", "l->longer_rows += row->count != row->columns + 1" },
  },
  ["rows/csv_unquote.c"] = {
    { "if (c == d->escape && from < end)", "if (c == d->escape && from <= end)" },
    { "from < end && *from == c)", "from < end && *from != c)" },
    { "nul |= c == '\\0'", "nul |= 0" },
    { "!sc3_csv_is_quoted(d, head, f)", "sc3_csv_is_quoted(d, head, f)" },
  },
  ["rows/csv_scan.c"] = {
    { "row->count >= SC3_COLUMNS_MAX", "row->count > SC3_COLUMNS_MAX" },
    { "if (mark[1] != w->quote)", "if (mark[1] == w->quote)" },
    { "mark - w->head > SC3_ROW_MAX", "mark - w->head >= SC3_ROW_MAX" },
    { "s->lines += mark + 1 == w->end || mark[1] != '\\n'", "s->lines += 1" },
    { "s->ends_in_cr = mark + 1 == w->end", "s->ends_in_cr = 0" },
  },
  ["rows/jsonl.c"] = {
    { "const int all = in->finished || end - p > SC3_ROW_MAX", "const int all = in->finished" },
    { "if (whole == SC3_JSON_PART && !all)", "if (whole == SC3_JSON_PART)" },
    { "whole == SC3_JSON_PART || behind - p > SC3_ROW_MAX", "whole == SC3_JSON_PART" },
    { "line > j->accounted + 1", "line > j->accounted", "between two lines that follow each other are none" },
    { "j->closed = c == ']'", "j->closed = 0" },
  },
  ["rows/header.c"] = {
    { "if (found > 1)", "if (found > 2)" },
    { "found == 1 ? SC3_HEADER_ONE", "found >= 1 ? SC3_HEADER_ONE" },
    { "name.p[1] == '0'", "name.p[1] != '0'" },
    { "digits >= 7", "digits > 7" },
    { "letters + digits >= 32", "letters + digits > 32" },
  },
  ["rows/condition.c"] = {
    { "return (a->integer > b->integer)", "return (a->integer >= b->integer)" },
    { "return a->value < b->value ? -1", "return a->value <= b->value ? -1" },
    { "if (a->is_integer && b->is_integer)", "if (0)" },
    { "return (a.n > b.n) - (a.n < b.n)", "return 0" },
    { "text.p[4] == date.p[4]", "text.p[4] != date.p[4]" },
    { "i >= 7 ? 7 : 0", "i > 7 ? 7 : 0" },
  },
  ["rows/encoding.c"] = {
    { "unit >= 0xd800 && unit < 0xdc00", "unit > 0xd800 && unit < 0xdc00" },
    { "unit >= 0xdc00 && unit < 0xe000", "unit >= 0xdc00 && unit < 0xdfff" },
    { "d->utf8_like += --d->utf8_left == 0", "d->utf8_like += --d->utf8_left != 0" },
    { "d->utf8_unlike += d->utf8_left > 0", "d->utf8_unlike += 0" },
  },
  ["members/mapping.c"] = {
    { "column <= r->count ?", "column < r->count ?" },
    { "(i == 0 && s.p[i] == '-')", "(i != 0 && s.p[i] == '-')" },
    { "while (++i < s.n && s.p[i] == '0')", "while (++i < s.n && s.p[i] != '0')" },
    { "v->uid_count == SC3_UIDS_MAX", "v->uid_count == SC3_UIDS_MAX - 1" },
    { "v->fallback_count < SC3_FALLBACKS_MAX", "v->fallback_count <= SC3_FALLBACKS_MAX - 2" },
    { "memchr(f->value.p, '{', f->value.n) == NULL", "memchr(f->value.p, '{', f->value.n) != NULL" },
    { "(mask & bit) != 0 && !is_met", "!is_met" },
    { "mask &= ~bit;", "" },
  },
  ["members/member.c"] = {
    { "why == SC3_R_PHONE_NATIONAL && name.n > 0", "why == SC3_R_PHONE_NATIONAL && name.n == 0" },
    { "value.n < 5)", "value.n < 9)" },
    { "o->emails + o->phones + o->uids == 0 ?", "o->emails + o->phones == 0 ?" },
    { "if (op == SC3_REMOVE)", "if (op != SC3_REMOVE)" },
    { "if (it->state == IDENTITY_HASHED)", "if (it->state != IDENTITY_HASHED)" },
  },
  ["members/hash_queue.c"] = {
    { "q->of[q->moved].at -= offset", "(void)offset" },
    { "q->of[q->moved].at < offset + length", "offset < length + offset" },
    { "sc3_payload_count(payload) - 1", "0" },
    { "q->count = q->moved = 0", "q->count = 0" },
  },
  ["members/payload.c"] = {
    { "return is_dead(e) ? NULL : p->segment", "return 0 ? NULL : p->segment" },
    { "if (s->hash != hash)", "if (s->hash == hash)" },
    { "other[n] == '\"'", "other[n] != '\"'" },
    { "p->living[0] + p->living[1] >= p->max_members", "p->living[0] + p->living[1] > p->max_members" },
    { "if (n > p->max_bytes)", "if (n >= p->max_bytes)" },
    { "sc3_payload_bytes(p) > p->max_bytes - n", "sc3_payload_bytes(p) >= p->max_bytes - n" },
    { "p->replaced.row = before->tagged_row >> 4", "p->replaced.row = before->tagged_row >> 3" },
    { "p += *p == '\\\\' ? 2 : 1", "p += 1" },
    { "return (int)(e->tagged_row >> 1 & 1)", "return (int)(e->tagged_row >> 0 & 1)" },
  },
  ["members/id_set.c"] = {
    { "!= 0 && there < fingerprint", "!= 0 && there > fingerprint" },
    { "slot_at(set, find(set, fingerprint)) == fingerprint", "slot_at(set, find(set, fingerprint)) != fingerprint" },
    { "if (slot_at(set, i) == fingerprint)", "if (slot_at(set, i) != fingerprint)" },
    { "if (set->count > 0)", "if (set->count < 0)", "what is not fetched early is fetched late, at a cost" },
    { "if (end < set->all - 1)", "if (end < set->all)" },
    { "count += count / 4 + 64", "count += count / 2 + 64" },
    { "memset(slots + (all - 1) * SLOT, 0, SLOT + 1)", "(void)all" },
  },
  ["members/fingerprint.c"] = {
    { "h >>= 64 - SC3_FINGERPRINT_BITS", "h >>= 40" },
    { "id.n ^ other", "other" },
    { "eight_bytes(p + 8) ^ h", "eight_bytes(p + 8) ^ other" },
    { "p[id.n / 2]", "p[0]" },
    { "b = eight_bytes(end - 8);\n  } else if (id.n >= 8)", "b = eight_bytes(p);\n  } else if (id.n >= 8)" },
    { "b = four_bytes(end - 4)", "b = four_bytes(p)" },
    { "product >> 64", "product >> 63" },
    { "id.n > 0", "id.n > 1" },
  },
  ["members/builder.c"] = {
    { "b->scratch.n - offset > b->max_member", "b->scratch.n - offset >= b->max_member" },
    { "st == SC3_ELIMIT && offset > 0 ?", "st == SC3_ELIMIT && offset == 0 ?" },
    { "b->tally.zero_ids += s->id_length == 1 &&", "b->tally.zero_ids += s->id_length != 1 &&" },
    { "if (r->missing > 0 && b->row_rejected == SC3_R_NO_IDENTIFIER)", "if (r->missing > 0)" },
    { "return a == SC3_FULL && later ?", "return a == SC3_FULL && !later ?" },
    { "if (before->row != b->row || b->row == 0 || before", "if (before->row == b->row || b->row == 0 || before" },
    { "before->index < b->starts[later].first", "before->index > b->starts[later].first" },
  },
  ["members/redactor.c"] = {
    { "value->n >= 6 && value->p[1] == 'u'", "value->n > 6 && value->p[1] == 'u'",
      "only control characters are written as \\u, and no value that goes holds one" },
    { "if (at - i >= SHORT && digits)", "if (at - i > SHORT && digits)" },
    { "first_is_word |= at == i && is_word(c)", "first_is_word |= 0" },
  },
  ["files/spool.c"] = {
    { "if (r.number > s->released)", "if (r.number >= s->released)" },
    { "if (r.stamp > s->stamp)", "if (r.stamp < s->stamp)" },
    { "if (s->released > s->number)", "if (s->released < s->number)" },
    { "capacity > SC3_SPOOL_LEAST_CAPACITY ? capacity", "capacity < SC3_SPOOL_LEAST_CAPACITY ? capacity" },
  },
  ["identity/email.c"] = {
    { "if (dots == 0 || label == 0 || digits_only)", "if (dots == 0 || label == 0)" },
    { "i + 1 == n || p[i + 1] == '.'", "p[i + 1] == '.'" },
    { "if (p[i] == '-' && (label == 0 ||", "if (p[i] == '-' && (" },
    { "    if (label == 0)\n", "    if (label != 0)\n" },
  },
  ["identity/email_plain.c"] = {
    { "(k.at & (k.at - 1)) != 0", "(k.at & (k.at - 1)) == 0" },
    { "(dots & (dots << 1)) != 0", "(dots & (dots << 1)) == 1" },
    { "if ((k.digit & last_label) == last_label)", "if ((k.digit & last_label) == 0)" },
  },
  ["identity/email_list.c"] = {
    { "if (ats < 2)", "if (ats < 3)" },
    { "if (*p == ';' || *p == ','", "if (*p == ','" },
    { "return s->n < before", "return s->n <= before" },
  },
  ["identity/email_unwrap.c"] = {
    { "if (s.n < 3 || s.p[s.n - 1] != '>'", "if (s.n < 3 || s.p[s.n - 1] == '>'" },
    { "return a.n == b.n", "return 1" },
    { "!is_same(text, address)))", "is_same(text, address)))" },
    { "find(s, ':') == s.n", "1" },
  },
  ["identity/placeholder.c"] = {
    { "end = general ?", "end = !general ?" },
  },
  ["identity/phone.c"] = {
    { "numbers += digits >= ENOUGH;", "numbers += digits > ENOUGH;" },
    { "return numbers + (digits >= ENOUGH) > 1", "return numbers + (digits >= ENOUGH) > 2" },
    { "SC3_R_PHONE_NATIONAL && region == SC3_REGION_NO_PLAN", "SC3_R_PHONE_NATIONAL && region != SC3_REGION_NO_PLAN" },
  },
  ["identity/phone_text.c"] = {
    { "c == '+' || c == 0xff0b", "c == '+'" },
    { "return digits >= 3;", "return digits >= 9;" },
  },
  ["identity/phone_parse.c"] = {
    { "if (digits->n == 0 || digits->p[0] == '0')", "if (digits->n == 0)" },
    { "digits->p[used] == '0')", "digits->p[used] != '0')" },
    { "number->calling_code = code > 0 ?", "number->calling_code = code < 0 ?" },
  },
  ["identity/phone_plan.c"] = {
    { "return (node & ACCEPTS) != 0", "return (node & ACCEPTS) == 0" },
    { "if (n >= 32 || lengths >> n == 0)", "if (n >= 32 || lengths >> n != 0)" },
  },
  ["identity/phone_repair.c"] = {
    { "number->calling_code == BENIN && number->n == 8", "number->calling_code == BENIN && number->n != 8" },
    { "number->n != n + 10", "number->n != n + 11" },
    { "if (second >= '7')", "if (second > '7')" },
  },
  ["identity/phone_extension.c"] = {
    { "count >= 1 && count <= most", "count >= 1 && count < most" },
    { "if (hash && i < s->n && s->at[i] == '#')", "if (hash && i < s->n && s->at[i] != '#')" },
    { "beginning_of(s->at[i]) != LABEL", "beginning_of(s->at[i]) == LABEL" },
  },
  ["identity/uid.c"] = {
    { "if (v.n == 64 && all_hex(v))", "if (v.n != 64 && all_hex(v))" },
    { "if (v.n > 44)", "if (v.n >= 44)" },
    { "if (n < 32)", "if (n <= 32)" },
    { "if (sum != 0)", "if (sum == 0)" },
    { "((bytes[0] & 0x10) != 0) != euid", "((bytes[0] & 0x10) != 0) == euid" },
  },
  ["identity/region.c"] = {
    { "if (n + 3 > NAME_MAX_FOLDED)", "if (n + 3 > 8)" },
    { "if (c == '&')", "if (c != '&')" },
  },
  ["identity/hashed.c"] = {
    { "return letters > 0", "return letters >= 0" },
    { "s.n == 32 ? SC3_R_HASH_MD5", "s.n != 32 ? SC3_R_HASH_MD5" },
    { "letters += s.p[i] > '9'", "letters += s.p[i] < '0'" },
  },
  ["bytes/amount.c"] = {
    { "c >= 0x20a0 && c <= 0x20cf", "c > 0x20a0 && c < 0x20ac" },
    { "if (s->n > 2 && s->p[0] == '('", "if (s->n > 9 && s->p[0] == '('" },
    { "c == '-' || c == 0x2212", "c == '-'" },
  },
  ["bytes/number.c"] = {
    { "if (top > 1023)", "if (top > 1022)" },
    { "rest > half || (rest == half && (sticky || (bits & 1)))", "rest > half || (rest == half && sticky)" },
    { "d->negative = *p++ == '-'", "d->negative = *p++ != '-'" },
    { "shift < 64 ? m >> shift", "shift < 63 ? m >> shift" },
  },
  ["bytes/base64.c"] = {
    { "return c == '+' ? 62 : 63", "return c == '+' ? 63 : 62" },
    { "return c == '-' ? 62 : 63", "return c == '-' ? 63 : 62" },
    { "padding < 2)", "padding < 1)" },
    { "(standard && url) ||", "(standard && 0) ||" },
    { "count == 6 || bits != 0", "count == 6" },
  },
  ["bytes/json_check.c"] = {
    { "if (depth == SC3_JSON_DEPTH)", "if (depth == SC3_JSON_DEPTH - 1)" },
    { "*p == '{' ? '}' : ']'", "*p == '{' ? ']' : '}'" },
    { "if (behind != NULL && !half)", "if (behind != NULL)" },
    { "if (c->count - first > 1)", "if (c->count - first > 2)" },
  },
  ["bytes/json_read.c"] = {
    { "if (behind == NULL || half)", "if (behind == NULL)" },
    { "if (r->depth == SC3_JSON_READ_DEPTH)", "if (r->depth == SC3_JSON_READ_DEPTH - 1)" },
  },
  ["bytes/utf8.c"] = {
    { "p[0] >= 0xc2", "p[0] >= 0xc0" },
    { "c < 0x800 ||", "c < 0x80 ||" },
    { "(c >= 0xd800 && c <= 0xdfff)", "(c > 0xd800 && c <= 0xdfff)" },
    { "c > 0x10ffff", "c > 0x1fffff" },
  },
  ["bytes/text.c"] = {
    { "c >= 0x2000 && c <= 0x200a", "c > 0x2000 && c <= 0x200a" },
    { "if (c <= ranges[i].last)", "if (c < ranges[i].last)" },
  },
  ["mirror/apply.c"] = {
    { "if (record->member != entry->member)", "if (record->member == entry->member)" },
    { "record->run = entry->run;", "" },
    { "if (known(record->standing) == 0)", "if (known(record->standing) != 0)" },
    { "if (became.refused)", "if (!became.refused)" },
    { "sc3_stands(record->standing, audience) != SC3_AWAY)", "1)" },
    { "if (!sc3_record_is_kept(record)) {", "if (0) {" },
  },
  ["mirror/merge.c"] = {
    { "op == SC3_ENTRY_REMOVE ? SC3_UNDER_WAY : SC3_DEFERRED",
      "op != SC3_ENTRY_REMOVE ? SC3_UNDER_WAY : SC3_DEFERRED" },
    { "e->op == SC3_ENTRY_ADD && e->cells", "e->cells", "a removal has no cells, and no row's hash is 0" },
    { "standing != SC3_AWAY && !upsert)", "standing != SC3_AWAY)" },
    { "standing == SC3_KNOWN && !p->due)", "standing == SC3_KNOWN)" },
    { "p->same_cells && standing == SC3_KNOWN", "p->same_cells && standing != SC3_AWAY" },
    { "p->record->marks == SC3_MARK_REJECTED &&", "" },
    { "pairs.record.run < m->refresh", "pairs.record.run <= m->refresh" },
    { "p->due ? as_unsure(p->record->standing) : p->record->standing", "p->record->standing" },
    { "m->mode == SC3_NIGHT_MIRROR &&", "" },
    { "return open || there ? SC3_KEPT", "return there ? SC3_KEPT" },
    { "return judge_open(p, audience, 0);", "return SC3_DEFERRED;" },
    { "if ((p->wanted & bit) != 0)", "if (p->item != NULL && p->item->has_row)" },
    { "+= verdict == SC3_REJECTED_BEFORE;", "+= 1;" },
    { "if (e->became.outcome != SC3_OUTCOME_AGAIN)", "if (0)" },
    { "c.member = e->entry.member;", "" },
    { "if (open && (wanted || !upsert))", "if (open)" },
    { "return open || standing != SC3_AWAY ? SC3_KEPT", "return standing != SC3_AWAY ? SC3_KEPT" },
  },
  ["mirror/night.c"] = {
    { "n->options.mode != SC3_NIGHT_MIRROR)", "0)" },
    { "+= leaver->mask >> audience & 1;\n    n", "+= 0;\n    n" },
  },
  ["mirror/samples.c"] = {
    { "s->first[at - 1].order > sample->order", "0" },
  },
  ["mirror/leaving.c"] = {
    { "sc3_chunk_take_back(part->chunk, &before);", ";" },
    { "if (status == SC3_MIRROR_OK && !*full) {", "if (status == SC3_MIRROR_OK) {" },
    { "*left &= ~bit;", "" },
    { "if (*left == 0)\n", "if (1)\n" },
    { "if (!sc3_utf8_valid(id.p, id.n))", "if (0)" },
    { "sc3_tally_add_built(tally, &counts);", "" },
  },
  ["mirror/gather.c"] = {
    { "to->mask = later->mask;", "" },
    { "to->excluded |= later->excluded;", "" },
    { "    to->last = later->last;", "" },
    { "g->replaced += to->has_row;", "g->replaced += 1;" },
    { "if (!g->items[i].gone)", "if (1)" },
  },
  ["mirror/members_blob.c"] = {
    { "if (n < SC3_ID_ESCAPE) /*", "if (0) /*" },
    { "n == 0 || (size_t)(end - p) < n", "(size_t)(end - p) < n" },
    { "(size_t)(end - p) < n)", "0)" },
    { "record->hash <= r->last", "record->hash < r->last" },
    { "sc3_part_of(record->hash, r->bits) != r->part", "0" },
    { "(size_t)(r->end - p) < head", "0" },
    { "p == r->end ? SC3_MIRROR_OK : SC3_MIRROR_DAMAGED", "SC3_MIRROR_OK" },
    { "r->audiences > audiences)", "0)" },
  },
  ["mirror/chunk.c"] = {
    { "p[1] >= r->audiences", "p[1] > r->audiences" },
    { "r->end - p < FIXED", "0" },
  },
  ["mirror/view.c"] = {
    { "entries.mask != 0 || ", "" },
    { "|| sc3_record_is_kept(&v->pairs.record);", ";" },
    { "!sc3_hash_list_has(&v->only, v->pairs.record.hash)", "0" },
  },
  ["mirror/without.c"] = {
    { "entry.op = SC3_ENTRY_BLANK;", "" },
    { "if (sc3_hash_list_has(gone_list, record.hash))", "if (0)" },
  },
  ["mirror/hash_list.c"] = {
    { "qsort(h->list, h->count, sizeof *h->list, compare);", "" },
    { "low = middle + 1;", "low = middle + 2;" },
  },
  ["mirror/unfolded.c"] = {
    { "u->begun = 1;", "" },
    { "u->read[part] = 1;", "" },
  },
  ["mirror/stage.c"] = {
    { "ranges[at].first <= again.entry", "ranges[at].first < again.entry" },
    { "ranges[at].last < again.entry", "ranges[at].last <= again.entry" },
    { "if (entry->op == SC3_ENTRY_BLANK)", "if (0)", "what is staged then changes no record" },
    { "|| became.refused;", ";" },
    { "place->file != before->file ||", "" },
    { "place->row - before->row > UINT16_MAX ||", "" },
    { "place->offset - before->offset > UINT24_MAX ||", "" },
    { "|| lines > UINT16_MAX)", ")" },
    { "*before = *place;", "" },
  },
  ["mirror/blocks.c"] = {
    { "b->free = b->next[number];", "" },
    { "> b->largest)", "> INT64_MAX)" },
    { "O_CLOEXEC | ", "" },
    { "0600);", "0644);" },
  },
  ["mirror/candidates.c"] = {
    { "if (r->starts[middle] <= order)", "if (r->starts[middle] < order)",
      "the first row of a range comes last in the one before: the order is the same" },
    { "r->starts[i] = r->starts[2 * i];", "", "the ranges have other sizes alone" },
  },
  ["mirror/building.c"] = {
    { "g->differs = e->member != g->candidate.member;", "g->differs = 0;" },
    { "if (g->differs) {", "if (0) {" },
    { "sc3_again_put(part->list, g->candidate.again);", "" },
    { "known_alone ? stands == SC3_KNOWN :", "0 ? 0 :" },
    { "g->leaves = standing(&g->candidate, 0);", "g->leaves = g->candidate.mask;" },
    { "return mask & c->mask;", "return mask;" },
    { "g->adds = g->candidate.mask & ~g->noted;", "g->adds = g->candidate.mask;" },
    { "g->adds &= ~bit;", "" },
    { "g->notes = 0;", "" },
    { "if (to->notes->out.n >= NOTES_FULL)", "if (0)" },
    { "sc3_chunk_take_back(part->chunk, &before);", "" },
    { "hash.cells == g->candidate.cells;", "1;" },
  },
  ["mirror/building.h"] = {
    { "to->members < sc3_payload_max_members(p) &&", "" },
    { "to->bytes + bytes <= sc3_payload_max_bytes(p)", "1" },
    { "to->members++;", "" },
  },
  ["mirror/cells.c"] = {
    { "sc3_sip_cell(s, sc3_slice_of(&role, 1));", "" },
    { "sc3_sip_cell(s, v->fallbacks[i].value);", "" },
    { "sc3_sip_cell(s, v->uids[i].type);", "" },
    { "return role != SC3_ROLE_EXTERNAL_ID;", "return 1;" },
    { "HAS(EMAIL) | HAS(PHONE) | ", "" },
    { "shape += (uint32_t)counts(v->fallbacks[i].role) << 8;", "" },
    { "sc3_sip_word(&s, lengths_of(email, phone, region));", "" },
    { "s = others;", "" },
  },
  ["mirror/part_spool.c"] = {
    { "memset(&r->part->before, 0, sizeof r->part->before);", "", "a partition is not written to once it was read" },
  },
  ["mirror/siphash.h"] = {
    { "length | sc3_sip_few(p, n) << 32", "length" },
    { "return n >= 8 ?", "return n > 4 ?" },
    { "(uint64_t)id.n << 56", "0" },
    { "r->id_length | (uint64_t)mark", "(uint64_t)mark" },
  },
  ["mirror/sort.c"] = {
    { "moves -= i - to;", "", "it takes longer alone" },
    { "keys[to - 1].value > key.value", "keys[to - 1].value >= key.value" },
  },
}

-- What callbacks or jobs use more than members do.
local SPECS = {
  ["members/builder.c"] = { "spec/core/", "spec/input/", "spec/identity/", "spec/job/warnings_of_rows_spec.lua" },
  ["members/fingerprint.c"] = { "spec/core/fingerprints_of_ids_spec.lua" },
  ["members/hash_queue.c"] = { "spec/core/hashes_of_several_rows_spec.lua" },
  ["members/id_set.c"] = { "spec/job/batcher_decisions_spec.lua", "spec/job/epochs_spec.lua",
    "spec/core/ids_that_crowd_the_end_spec.lua", "spec/core/sets_of_many_ids_spec.lua" },
  ["bytes/base64.c"] = { "spec/webhook/bytes_spec.lua" },
  ["bytes/json_check.c"] = { "spec/webhook/bytes_spec.lua", "spec/input/" },
}

local list = {}
for file, changes in pairs(BY_FILE) do
  SPECS[file] = SPECS[file] or file:find "^mirror/" and { "spec/mirror/" } or nil
  for _, change in ipairs(changes) do
    list[#list + 1] = {
      file = "csrc/core/" .. file, from = change[1], to = change[2], specs = SPECS[file],
      name = (change[1] .. " => " .. change[2]):gsub("%s+", " "), equivalent = change[3],
    }
  end
end
table.sort(list, function(a, b)
  if a.file ~= b.file then
    return a.file < b.file
  end
  return a.name < b.name
end)
return list
