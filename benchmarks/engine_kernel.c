/* The loop of ccsim/simulation/engine_compiled.py once more, line by line, in plain C.
 *
 * It is here to be timed against: the same features (priorities, head start, breaks, redials drawn
 * with Threefry and looked up in quantile tables, ties broken by rank and content), the same order
 * of work, the very same arrays. `arrays.h` is written from those arrays by `c_kernel.py`.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arrays.h" /* Centre, Chance, Rows, Floor, Agenda: pointers to numpy's arrays */

enum { ANSWERED = 0, ABANDONED = 1, CLOSED = 2, WAITING = 3 };
enum { NOW, ARRIVAL, COMING, LEAVING, WAITS, BACKS, ROWS, SEEN, COLUMN, EDGE };
enum { DONE = 0, MORE_EVENTS = 1, MORE_ROWS = 2 };
enum { DELAY = 3, PATIENCE = 2, PATIENCE_KEY = 2, REDIAL_KEY = 3 };

#define NEVER (INT64_C(1) << 62)
#define LATER INT64_MAX
#define IDLE (3 * (INT64_C(1) << 61))
#define INTERVAL_ORIGIN (INT64_C(1) << 19)

#define PARITY UINT64_C(0x1BD11BDAA9FC1A22)
#define SIDE (53 * 256)
#define TOP_HALF (INT64_C(1) << 52)
#define END (INT64_C(1) << 54)
#define FRACTION ((INT64_C(1) << 31) - 1)

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static inline uint64_t turned(uint64_t word, int bits) {
    return (word << bits) | (word >> (64 - bits));
}

static void random_words(const uint64_t *key, uint64_t high, uint64_t low, uint64_t *one,
                         uint64_t *other) {
    uint64_t first = key[0], second = key[1], third = PARITY ^ first ^ second;
    uint64_t a = high + first, b = low + second;
    for (int stage = 1; stage < 6; stage++) {
        bool odd = stage % 2 == 1;
        a += b;
        b = turned(b, 16) ^ a;
        a += b;
        b = turned(b, odd ? 42 : 32) ^ a;
        a += b;
        b = turned(b, odd ? 12 : 24) ^ a;
        a += b;
        b = turned(b, odd ? 31 : 21) ^ a;
        if (stage % 3 == 1) {
            a += second, b += third;
        } else if (stage % 3 == 2) {
            a += third, b += first;
        } else {
            a += first, b += second;
        }
        b += (uint64_t)stage;
    }
    *one = a, *other = b;
}

static int64_t looked_up(const Chance *chance, int64_t table, uint64_t word) {
    int64_t u = (int64_t)(word >> 11);
    bool upper = u >= TOP_HALF;
    double t = (double)(upper ? END - 2 * u - 1 : 2 * u + 1);
    int64_t bits;
    memcpy(&bits, &t, sizeof bits);
    int64_t cell = chance->first_cell[table] + (bits >> 44) - (1023 << 8) + (upper ? SIDE : 0);
    int64_t first = chance->patches_of[2 * cell], past = chance->patches_of[2 * cell + 1];
    while (first < past && chance->patches[5 * first + 1] <= u) first++;
    bool patched = first < past && chance->patches[5 * first] <= u;
    if (patched) cell = chance->patches[5 * first + 4];
    int64_t fraction = (bits >> 13) & FRACTION, rise = chance->rise[cell];
    int64_t value = chance->start[cell] + (rise >> 31) * fraction;
    value += ((rise & FRACTION) * fraction + (INT64_C(1) << 30)) >> 31;
    if (patched)
        value = least(most(value, chance->patches[5 * first + 2]), chance->patches[5 * first + 3]);
    return value;
}

static inline int64_t content_of(const Rows *rows, int64_t row) {
    int64_t place = rows->contact_type[row] << 20 | (rows->interval[row] + INTERVAL_ORIGIN);
    return ((place << 24 | rows->ordinal[row]) << 8) + rows->attempt[row];
}

static inline bool before(const Rows *rows, int64_t time, int64_t row, int64_t other_time,
                          int64_t other) {
    if (time != other_time) return time < other_time;
    return content_of(rows, row) < content_of(rows, other);
}

static inline void begin(const Agenda *agenda, const Rows *rows, int64_t agent, int64_t time) {
    uint64_t place = (uint64_t)(agenda->leaves + agent);
    agenda->done_when[place] = time;
    place >>= 1;
    while (place) {
        int64_t mine = agenda->row_of[agent], its = agenda->row_of[agenda->done_who[place]];
        if (before(rows, agenda->done_when[place], its, time, mine)) break;
        agenda->done_when[place] = time, agenda->done_who[place] = agent;
        place >>= 1;
    }
}

static inline void settle(const Agenda *agenda, const Rows *rows, int64_t agent, int64_t time) {
    uint64_t place = (uint64_t)(agenda->leaves + agent);
    int64_t *done_when = agenda->done_when, *done_who = agenda->done_who;
    done_when[place] = time;
    while (place > 1) {
        uint64_t beside = place ^ 1;
        int64_t other = done_who[beside], later = done_when[beside] - time, difference = later;
        if (later == 0) {
            int64_t mine = agenda->row_of[agent], its = agenda->row_of[other];
            later -= content_of(rows, its) < content_of(rows, mine);
        }
        int64_t mask = later >> 63; /* all ones if the other is first: a branch would be guessed */
        time += difference & mask;
        agent += (other - agent) & mask;
        place >>= 1;
        done_when[place] = time, done_who[place] = agent;
    }
}

static inline int64_t put(int64_t *when, int64_t *what, const Rows *rows, int64_t size,
                          int64_t time, int64_t row) {
    uint64_t place = (uint64_t)size;
    while (place) {
        uint64_t above = (place - 1) >> 1;
        if (before(rows, when[above], what[above], time, row)) break;
        when[place] = when[above], what[place] = what[above];
        place = above;
    }
    when[place] = time, what[place] = row;
    return size + 1;
}

static inline void replace_first(int64_t *when, int64_t *what, const Rows *rows, int64_t size,
                                 int64_t time, int64_t row) {
    uint64_t count = (uint64_t)size, place = 0, child = 1;
    while (child < count) {
        uint64_t other = child + 1;
        if (other < count) /* added, as a branch would be guessed wrong half the time */
            child += before(rows, when[other], what[other], when[child], what[child]);
        if (before(rows, time, row, when[child], what[child])) break;
        when[place] = when[child], what[place] = what[child];
        place = child, child = 2 * child + 1;
    }
    when[place] = time, what[place] = row;
}

static inline int64_t drop_first(int64_t *when, int64_t *what, const Rows *rows, int64_t size) {
    size--;
    if (size)
        replace_first(when, what, rows, size, when[size], what[size]);
    else
        when[0] = LATER;
    return size;
}

static inline void link_in(int64_t *before, int64_t *after, int64_t *first, int64_t *last,
                           int64_t number, int64_t item, int64_t left) {
    int64_t right = left >= 0 ? after[left] : first[number];
    before[item] = left, after[item] = right;
    if (left >= 0)
        after[left] = item;
    else
        first[number] = item;
    if (right >= 0)
        before[right] = item;
    else
        last[number] = item;
}

static inline void unlink_from(int64_t *before, int64_t *after, int64_t *first, int64_t *last,
                               int64_t number, int64_t item) {
    int64_t left = before[item], right = after[item];
    if (left >= 0)
        after[left] = right;
    else
        first[number] = right;
    if (right >= 0)
        before[right] = left;
    else
        last[number] = left;
}

static inline int64_t next_contact(const Centre *centre, const Floor *floor, const Rows *rows,
                                   int64_t group) {
    int64_t best = -1, best_key = LATER;
    for (int64_t place = centre->types_first[group]; place < centre->types_first[group + 1];
         place++) {
        int64_t contact_type = centre->types[place], row = floor->queue_first[contact_type];
        if (row >= 0) {
            int64_t key = rows->arrival[row] - centre->head_start[contact_type];
            if (key < best_key || (key == best_key && content_of(rows, row) < content_of(rows, best)))
                best = row, best_key = key;
        }
        if (best >= 0 && centre->types_last[place]) break;
    }
    return best;
}

static inline int64_t free_agent(const Centre *centre, const Floor *floor, int64_t contact_type) {
    int64_t best = -1;
    for (int64_t place = centre->groups_first[contact_type];
         place < centre->groups_first[contact_type + 1]; place++) {
        int64_t agent = floor->idle_first[centre->groups[place]];
        if (agent >= 0 && (best < 0 || floor->idle_since[agent] < floor->idle_since[best] ||
                           (floor->idle_since[agent] == floor->idle_since[best] && agent < best)))
            best = agent;
        if (best >= 0 && centre->groups_last[place]) break;
    }
    return best;
}

static bool redials(const Centre *centre, const Chance *chance, const Rows *rows, int64_t row,
                    int64_t new, int64_t now, int64_t member) {
    int64_t contact_type = rows->contact_type[row];
    uint64_t high = ((uint64_t)member << 32) | ((uint64_t)rows->interval[row] & 0xFFFFFFFF);
    uint64_t low = ((uint64_t)rows->ordinal[row] << 32) | ((uint64_t)rows->attempt[row] << 16);
    const uint64_t *keys = chance->keys + 8 * contact_type;
    uint64_t again, delay, patience, unused;
    random_words(keys + 2 * REDIAL_KEY, high, low, &again, &delay);
    if ((int64_t)(again >> 11) >= chance->redial_below[contact_type]) return false;
    int64_t when = now + looked_up(chance, 4 * contact_type + DELAY, delay);
    if (rows->attempt[row] >= centre->redials_at_most[contact_type] || when >= centre->end) {
        rows->redial_cut[row] = true;
        return false;
    }
    low += UINT64_C(1) << 16;
    random_words(keys + 2 * PATIENCE_KEY, high, low, &patience, &unused);
    rows->last[row] = false;
    rows->contact_type[new] = contact_type;
    rows->interval[new] = rows->interval[row];
    rows->ordinal[new] = rows->ordinal[row];
    rows->attempt[new] = rows->attempt[row] + 1;
    rows->arrival[new] = when;
    rows->handle_time[new] = rows->handle_time[row];
    rows->patience[new] = looked_up(chance, 4 * contact_type + PATIENCE, patience);
    return true;
}

int64_t play(int64_t *state, int64_t events, const Centre *centre, const Chance *chance,
             const Rows *rows, const Floor *floor, const Agenda *agenda, int64_t first_attempts,
             int64_t member, int64_t columns, int64_t room, int64_t comings, int64_t leavings) {
    const uint8_t *is_open = centre->is_open, *serves_out = centre->serves_out;
    const int64_t *group_of = centre->group_of, *stretch_agent = centre->stretch_agent;
    const int64_t *stretch_start = centre->stretch_start, *stretch_end = centre->stretch_end;
    int64_t *type_of = rows->contact_type, *arrival = rows->arrival;
    int64_t *handle_time = rows->handle_time, *patience = rows->patience;
    int64_t *outcome = rows->outcome, *left_queue = rows->left_queue, *ended = rows->ended;
    int64_t *agent_of = rows->agent, *order = rows->seen;
    uint8_t *last = rows->last, *redial_cut = rows->redial_cut;
    int64_t *ahead = floor->ahead, *behind = floor->behind;
    int64_t *queue_first = floor->queue_first, *queue_last = floor->queue_last;
    int64_t *idle_before = floor->idle_before, *idle_after = floor->idle_after;
    int64_t *idle_since = floor->idle_since;
    int64_t *idle_first = floor->idle_first, *idle_last = floor->idle_last;
    uint8_t *busy = floor->busy;
    int64_t *stretch_of = floor->stretch_of, *stretch_left = floor->stretch_left;
    const int64_t *coming = floor->coming, *leaving = floor->leaving;
    const int64_t *below = chance->redial_below;
    int64_t *done_when = agenda->done_when, *done_who = agenda->done_who;
    int64_t *row_of = agenda->row_of;
    int64_t *gone_when = agenda->gone_when, *gone_row = agenda->gone_row;
    int64_t *back_when = agenda->back_when, *back_row = agenda->back_row;

    int64_t now = state[NOW], next_arrival = state[ARRIVAL];
    int64_t next_coming = state[COMING], next_leaving = state[LEAVING];
    int64_t waits = state[WAITS], backs = state[BACKS];
    int64_t count = state[ROWS], seen = state[SEEN];
    int64_t column = state[COLUMN], edge = state[EDGE];
    int64_t interval_us = centre->interval_us, until = centre->cut ? centre->end : IDLE;
    int64_t verdict = MORE_EVENTS, latest = state[NOW];

    int64_t arrives = next_arrival < first_attempts ? arrival[next_arrival] : LATER;
    int64_t comes = next_coming < comings ? stretch_start[coming[next_coming]] : LATER;
    int64_t leaves = next_leaving < leavings ? stretch_end[leaving[next_leaving]] : LATER;
    for (int64_t event = 0; event < events; event++) {
        int64_t done = done_when[1], gives_up = gone_when[0], returns = back_when[0];
        int64_t time = least(least(least(done, arrives), least(gives_up, returns)),
                             least(comes, leaves));
        if (time >= until) {
            verdict = DONE;
            break;
        }
        int64_t row, agent;

        /* In the order of the ranks. */
        if (done == time) {
            agent = done_who[1];
            busy[agent] = false;
        } else if (leaves == time) {
            int64_t stretch = leaving[next_leaving];
            agent = stretch_agent[stretch];
            if (stretch_of[agent] == stretch && idle_since[agent] != LATER) {
                unlink_from(idle_before, idle_after, idle_first, idle_last, group_of[agent], agent);
                idle_since[agent] = LATER;
                stretch_left[stretch] = time;
            }
            next_leaving++;
            leaves = next_leaving < leavings ? stretch_end[leaving[next_leaving]] : LATER;
            now = time;
            continue;
        } else if (comes == time) {
            int64_t stretch = coming[next_coming];
            agent = stretch_agent[stretch];
            next_coming++;
            comes = next_coming < comings ? stretch_start[coming[next_coming]] : LATER;
            now = time;
            if (busy[agent]) { /* The last contact went on through the whole break. */
                stretch_left[stretch_of[agent]] = now;
                stretch_of[agent] = stretch;
                continue;
            }
            stretch_of[agent] = stretch;
        } else if (gives_up == time) {
            bool again = false;
            row = gone_row[0];
            if (outcome[row] == WAITING) {
                int64_t contact_type = type_of[row];
                if (below[contact_type]) {
                    if (count == room) {
                        verdict = MORE_ROWS;
                        break;
                    }
                    again = redials(centre, chance, rows, row, count, time, member);
                }
                outcome[row] = ABANDONED, agent_of[row] = -1;
                left_queue[row] = ended[row] = time;
                unlink_from(ahead, behind, queue_first, queue_last, contact_type, row);
            }
            now = time;
            waits = drop_first(gone_when, gone_row, rows, waits);
            if (again) {
                backs = put(back_when, back_row, rows, backs, arrival[count], count);
                count++;
            }
            continue;
        } else {
            now = time;
            row = back_row[0];
            if (returns == time &&
                (arrives != time || content_of(rows, row) < content_of(rows, next_arrival))) {
                backs = drop_first(back_when, back_row, rows, backs);
            } else {
                row = next_arrival;
                next_arrival++;
                arrives = next_arrival < first_attempts ? arrival[next_arrival] : LATER;
            }
            order[seen] = row;
            seen++;
            last[row] = true, redial_cut[row] = false;
            int64_t contact_type = type_of[row];
            while (now >= edge) {
                column++, edge += interval_us;
                column = column == columns ? 0 : column;
            }
            if (!is_open[contact_type * columns + column]) {
                outcome[row] = CLOSED, agent_of[row] = -1;
                left_queue[row] = ended[row] = now;
                continue;
            }
            agent = free_agent(centre, floor, contact_type);
            if (agent < 0) {
                outcome[row] = WAITING, agent_of[row] = -1;
                /* Whoever arrives at one instant does so in order of content, redials too. */
                int64_t left = queue_last[contact_type];
                link_in(ahead, behind, queue_first, queue_last, contact_type, row, left);
                if (patience[row] < NEVER) {
                    int64_t ends = now + patience[row];
                    latest = most(latest, ends);
                    if (waits && outcome[gone_row[0]] != WAITING) /* who was answered makes room */
                        replace_first(gone_when, gone_row, rows, waits, ends, row);
                    else
                        waits = put(gone_when, gone_row, rows, waits, ends, row);
                }
                continue;
            }
            unlink_from(idle_before, idle_after, idle_first, idle_last, group_of[agent], agent);
            idle_since[agent] = LATER;
            busy[agent] = true;
            int64_t ends = now + handle_time[row];
            outcome[row] = ANSWERED, agent_of[row] = agent;
            left_queue[row] = now, ended[row] = least(ends, until);
            row_of[agent] = row;
            begin(agenda, rows, agent, ends);
            continue;
        }

        /* An agent is free: she takes the next contact, or leaves when it is time, or is idle. */
        now = time;
        int64_t group = group_of[agent], stretch = stretch_of[agent];
        bool over = now >= stretch_end[stretch];
        row = -1;
        if (!over || serves_out[stretch]) row = next_contact(centre, floor, rows, group);
        if (row >= 0) {
            unlink_from(ahead, behind, queue_first, queue_last, type_of[row], row);
            busy[agent] = true;
            int64_t ends = now + handle_time[row];
            outcome[row] = ANSWERED, agent_of[row] = agent;
            left_queue[row] = now, ended[row] = least(ends, until);
            row_of[agent] = row;
            settle(agenda, rows, agent, ends);
            continue;
        }
        if (done == time) settle(agenda, rows, agent, IDLE + agent);
        if (over) {
            stretch_left[stretch] = now;
        } else {
            int64_t left = idle_last[group];
            while (left >= 0 && idle_since[left] == now && left > agent) left = idle_before[left];
            link_in(idle_before, idle_after, idle_first, idle_last, group, agent, left);
            idle_since[agent] = now;
        }
    }

    state[NOW] = most(now, latest), state[ARRIVAL] = next_arrival;
    state[COMING] = next_coming, state[LEAVING] = next_leaving;
    state[WAITS] = waits, state[BACKS] = backs;
    state[ROWS] = count, state[SEEN] = seen;
    state[COLUMN] = column, state[EDGE] = edge;
    return verdict;
}

void close_down(const Rows *rows, const Floor *floor, int64_t end, int64_t types, int64_t agents) {
    for (int64_t contact_type = 0; contact_type < types; contact_type++)
        for (int64_t row = floor->queue_first[contact_type]; row >= 0; row = floor->behind[row])
            rows->left_queue[row] = rows->ended[row] = end;
    for (int64_t agent = 0; agent < agents; agent++) {
        int64_t stretch = floor->stretch_of[agent];
        if (stretch >= 0 && (floor->busy[agent] || floor->idle_since[agent] != LATER))
            floor->stretch_left[stretch] = end;
    }
}
