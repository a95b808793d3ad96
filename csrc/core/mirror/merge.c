#include "merge.h"

/* One id, while it is looked at. */
typedef struct person {
  const sc3_mirror_record *record;
  const sc3_gathered *item; /* NULL = the night has nothing of it */
  const sc3_open_entries *open;
  uint32_t wanted; /* bits of audiences, before exclusion */
  int excluded;
  int same_cells; /* there is a row, and it has the cells of the record */
  int due;        /* known versions are to be sent anew */
} person;

static sc3_verdict judge_open(const person *p, unsigned audience, int wanted) {
  const sc3_mirror_entry *e = &p->open->of[audience]->entry;
  if (!wanted)
    return e->op == SC3_ENTRY_REMOVE ? SC3_UNDER_WAY : SC3_DEFERRED;
  return e->op == SC3_ENTRY_ADD && e->cells == p->item->cells ? SC3_UNDER_WAY : SC3_DEFERRED;
}

/* In a night that removes, a row asks for its person to leave. */
static sc3_verdict judge_removal(const person *p, unsigned audience) {
  const int open = (int)(p->open->mask >> audience & 1);
  const int there = sc3_stands(p->record->standing, audience) != SC3_AWAY;
  if ((p->wanted >> audience & 1) == 0)
    return open || there ? SC3_KEPT : SC3_NOTHING;
  if (open)
    return judge_open(p, audience, 0);
  /* Nobody has asked for a further member, of which there may never have been one. */
  return there ? SC3_REMOVED : p->item->further ? SC3_NOTHING : SC3_NOT_THERE;
}

/* Whether there is no such member of a row: what it would be made of cannot be used. */
static int is_nobody(const person *p, sc3_standing standing) {
  return p->item->further && p->record->rejected && standing == SC3_AWAY;
}

static int is_refused(const person *p, unsigned audience) {
  return (int)(p->record->refused >> audience & 1);
}

static sc3_verdict judge(const person *p, unsigned audience, int upsert) {
  const sc3_standing standing = sc3_stands(p->record->standing, audience);
  const int asked = (int)(p->wanted >> audience & 1), wanted = asked && !p->excluded;
  const int open = (int)(p->open->mask >> audience & 1);
  if (open && (wanted || !upsert || p->excluded))
    return judge_open(p, audience, wanted);
  if (!wanted && standing != SC3_AWAY && (!upsert || p->excluded))
    return SC3_REMOVED;
  if (!wanted && asked)
    return SC3_EXCLUDED;
  if (!wanted)
    return open || standing != SC3_AWAY ? SC3_KEPT : SC3_NOTHING;
  if (p->same_cells && (p->record->rejected || is_refused(p, audience)))
    return is_nobody(p, standing) ? SC3_NOTHING : SC3_REJECTED_BEFORE;
  if (p->same_cells && standing == SC3_KNOWN && !p->due)
    return SC3_UNCHANGED;
  return standing == SC3_AWAY ? SC3_NEWCOMER : SC3_CHANGED;
}

/* Whoever is in an audience by a row that gives no member any more leaves it. */
static int leaves(const sc3_merge *m, const person *p, unsigned audience, sc3_verdict verdict) {
  if (verdict == SC3_REMOVED)
    return 1;
  return verdict == SC3_REJECTED_BEFORE && m->mode == SC3_NIGHT_MIRROR && p->record->rejected &&
         sc3_stands(p->record->standing, audience) != SC3_AWAY;
}

static const sc3_again NOT_AGAIN = {0, 0};

static sc3_candidate candidate_of(const person *p, uint32_t mask) {
  sc3_candidate c;
  c.order = p->item->order;
  c.offset = p->item->offset;
  c.beyond = p->item->beyond;
  c.hash = p->record->hash;
  c.cells = p->item->cells;
  c.member = p->record->member;
  c.standing = p->record->standing;
  if (p->due)
    c.standing = sc3_as_unsure(c.standing, sc3_known(c.standing));
  c.mask = (uint16_t)mask;
  c.refused = p->record->refused;
  c.again = NOT_AGAIN;
  return c;
}

static sc3_leaver leaver_of(const person *p, uint32_t mask) {
  sc3_leaver leaver;
  leaver.hash = p->record->hash;
  leaver.mask = (uint16_t)mask;
  leaver.id = p->record->id;
  leaver.again = NOT_AGAIN;
  return leaver;
}

/* What becomes of a person: sets of audiences. */
typedef struct fate {
  uint32_t candidate, asked, leaving, under_way;
} fate;

static void ask(sc3_candidate *c, const fate *f) {
  unsigned audience;
  for (audience = 0; audience < SC3_MIRROR_AUDIENCES; audience++) {
    if ((f->asked >> audience & 1) != 0)
      c->standing = sc3_with_standing(c->standing, audience, SC3_ASKED);
  }
}

static sc3_mirror_status give(const sc3_merge *m, const person *p, const fate *f) {
  sc3_mirror_status status = SC3_MIRROR_OK;
  if ((f->candidate | f->asked) != 0) {
    sc3_candidate c = candidate_of(p, f->candidate | f->asked);
    if (f->asked != 0)
      ask(&c, f);
    status = m->candidate(m->to, &c);
  }
  if (f->leaving != 0 && status == SC3_MIRROR_OK) {
    const sc3_leaver leaver = leaver_of(p, f->leaving);
    status = m->leaver(m->to, &leaver);
  }
  return status;
}

/* Gives what is under way in an audience once more, where its entry may be sent again. */
static sc3_mirror_status give_entry(sc3_merge *m, const person *p, unsigned audience) {
  const sc3_gathered_entry *e = p->open->of[audience];
  sc3_leaver leaver;
  const uint32_t bit = UINT32_C(1) << audience;
  if (e->became.outcome != SC3_OUTCOME_AGAIN)
    return SC3_MIRROR_OK;
  if (e->entry.op == SC3_ENTRY_ADD) {
    sc3_candidate c = candidate_of(p, bit);
    c.member = e->entry.member;
    c.again = e->again;
    m->again[audience]++;
    return m->candidate(m->to, &c);
  }
  leaver = leaver_of(p, bit);
  leaver.again = e->again;
  m->leavers_again[audience]++;
  return m->leaver(m->to, &leaver);
}

static sc3_mirror_status give_again(sc3_merge *m, const person *p, uint32_t under_way) {
  sc3_mirror_status status = SC3_MIRROR_OK;
  unsigned audience;
  for (audience = 0; audience < m->audiences && status == SC3_MIRROR_OK; audience++) {
    if ((under_way >> audience & 1) != 0)
      status = give_entry(m, p, audience);
  }
  return status;
}

/* Whether the night has to find out if somebody is excluded who stays as before. */
static int is_asked(const sc3_merge *m, const person *p, unsigned audience, sc3_verdict verdict) {
  if (!m->all)
    return 0;
  return verdict == SC3_UNCHANGED || (verdict == SC3_REJECTED_BEFORE && !p->record->rejected &&
                                      sc3_stands(p->record->standing, audience) != SC3_AWAY);
}

/* Notes the row, but not of who may turn out to be excluded. */
static void note_sample(sc3_merge *m, const person *p, unsigned audience, sc3_verdict verdict,
                        int is_candidate) {
  if ((p->wanted >> audience & 1) == 0 || (is_candidate && m->all))
    return;
  if (verdict == SC3_REMOVED && p->excluded)
    verdict = SC3_EXCLUDED;
  sc3_samples_note(&m->samples[audience][verdict], p->item->order, p->item->beyond);
}

static void visit_audience(sc3_merge *m, const person *p, unsigned audience, fate *f) {
  const uint32_t bit = UINT32_C(1) << audience;
  const sc3_verdict verdict = m->mode == SC3_NIGHT_REMOVE
                                  ? judge_removal(p, audience)
                                  : judge(p, audience, m->mode == SC3_NIGHT_UPSERT);
  m->counts[audience][verdict]++;
  m->before[audience] += sc3_stands(p->record->standing, audience) != SC3_AWAY;
  m->known[audience] += sc3_stands(p->record->standing, audience) == SC3_KNOWN;
  if (verdict == SC3_NEWCOMER || verdict == SC3_CHANGED) {
    f->candidate |= bit;
  } else if (is_asked(m, p, audience, verdict)) {
    f->asked |= bit;
  } else if (verdict == SC3_UNDER_WAY) {
    f->under_way |= bit;
  } else if (leaves(m, p, audience, verdict)) {
    f->leaving |= bit;
    m->leavers[audience]++;
    m->leavers_rejected[audience] += verdict == SC3_REJECTED_BEFORE;
    m->leavers_excluded[audience] += verdict == SC3_REMOVED && p->excluded;
  }
  note_sample(m, p, audience, verdict, ((f->candidate | f->asked) & bit) != 0);
}

static sc3_mirror_status visit(sc3_merge *m, const person *p) {
  fate f = {0, 0, 0, 0};
  unsigned audience;
  for (audience = 0; audience < m->audiences; audience++)
    visit_audience(m, p, audience, &f);
  if (f.under_way != 0) {
    const sc3_mirror_status status = give_again(m, p, f.under_way);
    if (status != SC3_MIRROR_OK)
      return status;
  }
  return f.candidate | f.asked | f.leaving ? give(m, p, &f) : SC3_MIRROR_OK;
}

sc3_verdict sc3_merge_verdict(const sc3_candidate *c, unsigned audience) {
  switch (sc3_stands(c->standing, audience)) {
    case SC3_AWAY: return SC3_NEWCOMER;
    case SC3_ASKED: return (c->refused >> audience & 1) == 0 ? SC3_UNCHANGED : SC3_REJECTED_BEFORE;
    default: return SC3_CHANGED;
  }
}

uint32_t sc3_merge_exclude(sc3_merge *m, const sc3_candidate *c) {
  uint32_t leaving = 0;
  unsigned audience;
  for (audience = 0; audience < m->audiences; audience++) {
    const int leaves_it = sc3_stands(c->standing, audience) != SC3_AWAY;
    if ((c->mask >> audience & 1) == 0)
      continue;
    m->counts[audience][sc3_merge_verdict(c, audience)]--;
    m->counts[audience][leaves_it ? SC3_REMOVED : SC3_EXCLUDED]++;
    m->leavers[audience] += (uint64_t)leaves_it;
    m->leavers_excluded[audience] += (uint64_t)leaves_it;
    leaving |= (uint32_t)leaves_it << audience;
    sc3_samples_note(&m->samples[audience][SC3_EXCLUDED], c->order, c->beyond);
  }
  return leaving;
}

sc3_mirror_status sc3_merge_part(sc3_merge *m, const sc3_gather *gather, sc3_slice base,
                                 size_t part) {
  sc3_open_entries open;
  sc3_pairs pairs;
  sc3_mirror_status status = sc3_pairs_open(&pairs, gather, base, part, m->bits, m->audiences);
  while (status == SC3_MIRROR_OK && sc3_pairs_next(&pairs)) {
    const sc3_gathered *item = pairs.item;
    person p;
    open.mask = 0;
    sc3_pairs_apply(&pairs, &open);
    p.record = &pairs.record;
    p.item = item;
    p.open = &open;
    p.wanted = item != NULL && item->has_row ? item->mask : 0;
    p.excluded = item != NULL && item->excluded;
    p.same_cells = item != NULL && item->has_row && item->cells == pairs.record.cells &&
                   sc3_record_is_kept(&pairs.record);
    p.due = pairs.record.run < m->refresh;
    status = visit(m, &p);
  }
  return status == SC3_MIRROR_OK ? pairs.status : status;
}
