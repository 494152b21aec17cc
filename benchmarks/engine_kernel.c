/* The loop of ccsim/simulation/engine_compiled.py once more, line by line, in plain C, with what it
 * calls of agenda_compiled.py, attempts_compiled.py and ccsim/demand/chance_compiled.py.
 *
 * It is here to be timed against: the same features (priorities, head start, overflow, reserves,
 * choice of agent, handle-time factors, queue limits, lines, clearing at closing, breaks; redials
 * and repeats drawn with Threefry and looked up in quantile tables; ties broken by rank and
 * content), the same order of work, the very same arrays. `arrays.h` is written from those arrays
 * by `c_kernel.py`.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arrays.h" /* numpy's arrays: Centre, Chance, Rows, Floor, Agenda; and Python's numbers */

#define PARITY UINT64_C(0x1BD11BDAA9FC1A22)
#define SIDE (53 * 256)
#define TOP_HALF (INT64_C(1) << 52)
#define END (INT64_C(1) << 54)
#define FRACTION ((INT64_C(1) << 31) - 1)

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* Python's //: an interval of the warm-up has a number below zero. */
static inline int64_t floored(int64_t a, int64_t b) { return a / b - (a % b < 0); }

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
    int64_t place = rows->origin[row] << 20 | (rows->interval[row] + INTERVAL_ORIGIN);
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

static int64_t comes_back(const Floor *floor, const int64_t *stretch_end, int64_t *when,
                          int64_t *what, int64_t size, int64_t stretch, int64_t now) {
    int64_t back = now + floor->pause[stretch], after = floor->follows[stretch], place = size;
    floor->comes_otherwise[after] = true;
    while (stretch_end[after] <= back && floor->pause[after] > 0) {
        after = floor->follows[after];
        floor->comes_otherwise[after] = true;
    }
    back = most(back, floor->stretch_came[after]);
    if (back >= stretch_end[after]) return size;
    while (place > 0) {
        int64_t above = (place - 1) >> 1;
        if (when[above] < back || (when[above] == back && what[above] < after)) break;
        when[place] = when[above], what[place] = what[above];
        place = above;
    }
    when[place] = back, what[place] = after;
    return size + 1;
}

static int64_t drop_moment(int64_t *when, int64_t *what, int64_t size) {
    size--;
    int64_t last = when[size], number = what[size], place = 0, child = 1;
    while (child < size) {
        int64_t other = child + 1;
        if (other < size && (when[other] < when[child] ||
                             (when[other] == when[child] && what[other] < what[child])))
            child = other;
        if (last < when[child] || (last == when[child] && number < what[child])) break;
        when[place] = when[child], what[place] = what[child];
        place = child, child = 2 * child + 1;
    }
    when[place] = last, what[place] = number;
    if (size == 0) when[0] = LATER;
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

static inline int64_t scaled(int64_t length, int64_t factor_ppm) {
    if (factor_ppm == PPM) return length;
    int64_t whole = length / PPM, rest = length % PPM;
    return whole * factor_ppm + (rest * factor_ppm + PPM / 2) / PPM;
}

static inline int64_t next_contact(const Centre *centre, const Floor *floor, const Rows *rows,
                                   int64_t group, int64_t now, bool serving_out, bool varied) {
    int64_t best = -1, best_key = LATER, free = floor->free[group] + 1;
    for (int64_t place = centre->types_first[group]; place < centre->types_first[group + 1];
         place++) {
        int64_t contact_type = centre->types[place], row = floor->queue_first[contact_type];
        bool able = row >= 0;
        if (able && varied && serving_out)
            able = !centre->carries_over[contact_type];
        else if (able && varied)
            able = now - rows->arrival[row] >= centre->types_after[place] &&
                   free > centre->types_reserve[place];
        if (able) {
            int64_t key = rows->arrival[row] - centre->head_start[contact_type];
            if (varied)
                key = -(scaled(now - rows->arrival[row], centre->ageing[contact_type]) +
                        centre->head_start[contact_type]);
            if (key < best_key ||
                (key == best_key && content_of(rows, row) < content_of(rows, best)))
                best = row, best_key = key;
        }
        if (best >= 0 && centre->types_last[place]) break;
    }
    return best;
}

static inline void words_of(const Chance *chance, const Rows *rows, int64_t row, int64_t purpose,
                            int64_t member, int64_t attempt, uint64_t *one, uint64_t *other) {
    uint64_t high = ((uint64_t)member << 32) | ((uint64_t)rows->interval[row] & 0xFFFFFFFF);
    uint64_t low = ((uint64_t)rows->ordinal[row] << 32) | ((uint64_t)attempt << 16);
    random_words(chance->keys + 2 * (KEYS * rows->origin[row] + purpose), high, low, one,
                 other);
}

static int64_t any_of(const Chance *chance, const Rows *rows, int64_t row, int64_t number,
                      int64_t member) {
    uint64_t word, unused;
    words_of(chance, rows, row, AGENT_KEY, member, rows->attempt[row], &word, &unused);
    return (int64_t)(((word >> 32) * (uint64_t)number) >> 32);
}

static inline int64_t free_agent(const Centre *centre, const Floor *floor, int64_t contact_type,
                                 int64_t waited, bool varied) {
    int64_t best = -1;
    for (int64_t place = centre->groups_first[contact_type];
         place < centre->groups_first[contact_type + 1]; place++) {
        int64_t group = centre->groups[place], agent = floor->idle_first[group];
        if (agent >= 0 &&
            (!varied || (waited >= centre->groups_after[place] &&
                         floor->free[group] > centre->groups_reserve[place])) &&
            (best < 0 || floor->idle_since[agent] < floor->idle_since[best] ||
             (floor->idle_since[agent] == floor->idle_since[best] && agent < best)))
            best = agent;
        if (best >= 0 && centre->groups_last[place]) break;
    }
    return best;
}

static int64_t another(const Centre *centre, const Chance *chance, const Floor *floor,
                       const Rows *rows, int64_t row, int64_t waited, int64_t agent,
                       int64_t member) {
    int64_t contact_type = rows->contact_type[row], rule = centre->agent_choice[contact_type];
    int64_t first = centre->groups_first[contact_type];
    int64_t past = centre->groups_first[contact_type + 1];
    int64_t begins = first, ends = first, number = 0;
    bool found = false;
    for (int64_t place = first; place < past; place++) {
        int64_t group = centre->groups[place];
        found |= group == centre->group_of[agent];
        if (waited >= centre->groups_after[place] &&
            floor->free[group] > centre->groups_reserve[place])
            number += floor->free[group];
        ends = place + 1;
        if (centre->groups_last[place]) {
            if (found) break;
            begins = ends, number = 0;
        }
    }
    /* At random: who has so many in front of her by the plan; else the first of all. */
    int64_t ahead = rule == AT_RANDOM ? any_of(chance, rows, row, number, member) : 0;
    int64_t passed = -1, best = -1;
    for (; ahead >= 0; passed = best, ahead--) {
        best = -1;
        for (int64_t place = begins; place < ends; place++) {
            int64_t group = centre->groups[place];
            bool able = waited >= centre->groups_after[place] &&
                        floor->free[group] > centre->groups_reserve[place];
            agent = able ? floor->idle_first[group] : -1;
            for (; agent >= 0; agent = floor->idle_after[agent]) {
                bool sooner = agent < best;
                if (rule == LEAST_HANDLING && best >= 0) {
                    int64_t less = floor->handled[best] - floor->handled[agent];
                    sooner = less > 0 || (less == 0 && sooner);
                }
                if (agent > passed && (best < 0 || sooner)) best = agent;
            }
        }
    }
    return best;
}

static bool tries(const Centre *centre, const Chance *chance, const Floor *floor, const Rows *rows,
                  int64_t row, int64_t new, int64_t when, int64_t to, int64_t longer,
                  int64_t at_most, int64_t why, int64_t member, int64_t columns) {
    if (rows->attempt[row] >= at_most || when >= centre->end) {
        rows->cut[row] = true;
        return false;
    }
    int64_t attempt = rows->attempt[row] + 1, handle_time = rows->handle_time[row];
    uint64_t patience, unused;
    words_of(chance, rows, row, PATIENCE_KEY, member, attempt, &patience, &unused);
    rows->last[row] = false;
    rows->contact_type[new] = to, rows->origin[new] = rows->origin[row];
    rows->interval[new] = rows->interval[row];
    rows->ordinal[new] = rows->ordinal[row];
    rows->attempt[new] = attempt, rows->drawn[new] = rows->drawn[row];
    rows->again[new] = (int8_t)why;
    rows->unresolved[new] = rows->called_back[new] = rows->transferred[new] = false;
    rows->cut[new] = false;
    rows->arrival[new] = when;
    rows->patience[new] = looked_up(chance, TABLES * to + PATIENCE, patience);
    if (to != rows->contact_type[row]) {
        uint64_t talk, wrap_up;
        words_of(chance, rows, row, HANDLE_KEY, member, attempt, &talk, &wrap_up);
        int64_t warm_up = -floored(centre->begin, centre->interval_us);
        int64_t place = (when - centre->begin) / centre->interval_us;
        int64_t factor = floor->talk_factor[to * (columns + warm_up) + place];
        rows->drawn[new] = attempt;
        handle_time = scaled(looked_up(chance, TABLES * to + TALK_TIME, talk), factor) +
                      looked_up(chance, TABLES * to + WRAP_UP, wrap_up);
    }
    rows->handle_time[new] = handle_time + longer;
    return true;
}

static int64_t later(const Centre *centre, int64_t contact_type, int64_t moment, int64_t delay,
                     bool opening, int64_t columns) {
    if (!opening) return moment + delay;
    while (moment < centre->end) {
        int64_t interval = floored(moment, centre->interval_us);
        int64_t follows = (interval + 1) * centre->interval_us;
        int64_t column = interval - floored(interval, columns) * columns;
        if (centre->is_open[contact_type * columns + column]) {
            if (delay < follows - moment) return moment + delay;
            delay -= follows - moment;
        }
        moment = follows;
    }
    return moment;
}

static bool redials(const Centre *centre, const Chance *chance, const Floor *floor,
                    const Rows *rows, int64_t row, int64_t new, int64_t now, int64_t member,
                    int64_t columns) {
    int64_t contact_type = rows->contact_type[row], below = chance->redial_below[contact_type];
    if (below == 0) return false;
    uint64_t again, delay;
    words_of(chance, rows, row, REDIAL_KEY, member, rows->attempt[row], &again, &delay);
    int64_t uniform = (int64_t)(again >> 11), to = contact_type;
    if (uniform >= below) return false;
    int64_t length = looked_up(chance, TABLES * contact_type + REDIAL_DELAY, delay);
    bool opening = centre->redials_while_open[contact_type];
    int64_t when = later(centre, contact_type, now, length, opening, columns);
    if (uniform < scaled(below, centre->redials_elsewhere[contact_type]))
        to = centre->redials_to[contact_type];
    int64_t most = centre->redials_at_most[contact_type], why = (rows->again[row] & MET) | REDIAL;
    return tries(centre, chance, floor, rows, row, new, when, to, 0, most, why, member, columns);
}

static bool repeats(const Centre *centre, const Chance *chance, const Floor *floor,
                    const Rows *rows, int64_t row, int64_t new, int64_t end, int64_t below,
                    int64_t member, int64_t columns) {
    int64_t contact_type = rows->contact_type[row], to = contact_type;
    uint64_t settled, delay;
    words_of(chance, rows, row, REPEAT_KEY, member, rows->attempt[row], &settled, &delay);
    int64_t uniform = (int64_t)(settled >> 11);
    if (uniform >= below) return false;
    rows->unresolved[row] = true;
    if (!chance->repeats[contact_type]) return false;
    int64_t length = looked_up(chance, TABLES * contact_type + REPEAT_DELAY, delay);
    bool opening = centre->repeats_while_open[contact_type];
    int64_t when = later(centre, contact_type, end, length, opening, columns);
    if (uniform < scaled(below, centre->repeats_elsewhere[contact_type]))
        to = centre->repeats_to[contact_type];
    int64_t most = centre->repeats_at_most[contact_type];
    return tries(centre, chance, floor, rows, row, new, when, to, 0, most, MET, member, columns);
}

static bool is_passed_on(const Chance *chance, const Rows *rows, int64_t row, int64_t below,
                         int64_t member) {
    if (below == 0) return false;
    uint64_t word, unused;
    words_of(chance, rows, row, TRANSFER_KEY, member, rows->attempt[row], &word, &unused);
    return (int64_t)(word >> 11) < below;
}

static inline int64_t unresolved_below(int64_t resolution_ppm, int64_t multiple_ppm) {
    int64_t share = PPM - least(scaled(resolution_ppm, multiple_ppm), PPM);
    int64_t whole = share / 15625, left = share % 15625; /* 5 to the sixth */
    return (whole << 47) + ((left << 47) + 15624) / 15625;
}

static bool passes_on(const Centre *centre, const Chance *chance, const Floor *floor,
                      const Rows *rows, int64_t row, int64_t new, int64_t end, int64_t skill,
                      int64_t member, int64_t columns) {
    rows->transferred[row] = true;
    return tries(centre, chance, floor, rows, row, new, end, centre->transfer_to[skill],
                 centre->context_lost[skill], centre->transfers_at_most[skill], MET | PASSED_ON,
                 member, columns);
}

static void callback(const Chance *chance, const Rows *rows, int64_t row, int64_t member,
                     int64_t *accepts, int64_t *answers) {
    uint64_t one, other;
    words_of(chance, rows, row, CALLBACK_KEY, member, rows->attempt[row], &one, &other);
    *accepts = (int64_t)(one >> 11), *answers = (int64_t)(other >> 11);
}

static int64_t wrap_up_of(const Chance *chance, const Rows *rows, int64_t row, int64_t member) {
    uint64_t unused, word;
    words_of(chance, rows, row, HANDLE_KEY, member, rows->drawn[row], &unused, &word);
    return looked_up(chance, TABLES * rows->contact_type[row] + WRAP_UP, word);
}

/* Compiled twice, as `play` says; numba does so by the type of `varied`. */
static inline __attribute__((always_inline)) int64_t
play_on(int64_t *state, int64_t events, const Centre *centre, const Chance *chance,
        const Rows *rows, const Floor *floor, const Agenda *agenda, int64_t first_attempts,
        bool grows, bool varied, int64_t member, int64_t types, int64_t columns, int64_t closings,
        int64_t room, int64_t comings, int64_t leavings) {
    const uint8_t *is_open = centre->is_open, *serves_out = centre->serves_out;
    const int64_t *group_of = centre->group_of, *line_group = centre->line_group;
    const int64_t *stretch_agent = centre->stretch_agent, *stretch_start = centre->stretch_start;
    const int64_t *stretch_end = centre->stretch_end, *closing = centre->closing;
    const int64_t *over_first = centre->overflows_first, *overflows = centre->overflows;
    int64_t *type_of = rows->contact_type, *arrival = rows->arrival;
    int64_t *handle_time = rows->handle_time, *patience = rows->patience;
    int64_t *outcome = rows->outcome, *left_queue = rows->left_queue, *ended = rows->ended;
    int64_t *agent_of = rows->agent, *order = rows->seen;
    uint8_t *last = rows->last, *called_back = rows->called_back;
    int64_t *ahead = floor->ahead, *behind = floor->behind, *waiting = floor->waiting;
    int64_t *queue_first = floor->queue_first, *queue_last = floor->queue_last;
    int64_t *idle_before = floor->idle_before, *idle_after = floor->idle_after;
    int64_t *idle_since = floor->idle_since;
    int64_t *idle_first = floor->idle_first, *idle_last = floor->idle_last, *free = floor->free;
    uint8_t *busy = floor->busy;
    int64_t *stretch_of = floor->stretch_of, *stretch_left = floor->stretch_left;
    const int64_t *coming = floor->coming, *leaving = floor->leaving;
    int64_t *free_lines = floor->free_lines;
    int64_t *done_when = agenda->done_when, *done_who = agenda->done_who;
    int64_t *row_of = agenda->row_of;
    int64_t *gone_when = agenda->gone_when, *gone_row = agenda->gone_row;
    int64_t *back_when = agenda->back_when, *back_row = agenda->back_row;
    int64_t *over_when = agenda->over_when, *over_row = agenda->over_row;
    int64_t *talk_when = agenda->talk_when, *talk_row = agenda->talk_row;
    int64_t *late_when = agenda->late_when, *late_stretch = agenda->late_stretch;

    int64_t now = state[NOW], next_arrival = state[ARRIVAL];
    int64_t next_coming = state[COMING], next_leaving = state[LEAVING];
    int64_t next_closing = state[CLOSING];
    int64_t count = state[ROWS], seen = state[SEEN], waits = state[WAITS], backs = state[BACKS];
    int64_t overs = state[OVERS], talks = state[TALKS], lates = state[LATES];
    int64_t column = state[COLUMN], edge = state[EDGE];
    int64_t interval_us = centre->interval_us, until = centre->cut ? centre->end : IDLE;
    int64_t full = grows ? room : -1;
    int64_t verdict = MORE_EVENTS, latest = state[NOW];

    int64_t arrives = next_arrival < first_attempts ? arrival[next_arrival] : LATER;
    int64_t comes = next_coming < comings ? stretch_start[coming[next_coming]] : LATER;
    int64_t leaves = next_leaving < leavings ? stretch_end[leaving[next_leaving]] : LATER;
    int64_t closes = next_closing < closings ? closing[2 * next_closing] : LATER;
    int64_t rare = least(least(closes, over_when[0]), late_when[0]);
    for (int64_t event = 0; event < events; event++) {
        int64_t done = done_when[1], gives_up = gone_when[0], returns = back_when[0];
        int64_t time = least(least(least(done, arrives), least(gives_up, returns)),
                             least(comes, leaves));
        if (varied) time = least(time, rare);
        if (time >= until) {
            verdict = DONE;
            break;
        }
        if (count == full) {
            verdict = MORE_ROWS;
            break;
        }
        now = time;
        int64_t row = -1, agent;

        /* In the order of the ranks: who is free, and perhaps whom she answers. */
        if (done == now) {
            agent = done_who[1];
            busy[agent] = false;
        } else if (leaves == now) {
            int64_t stretch = leaving[next_leaving];
            agent = stretch_agent[stretch];
            next_leaving++;
            leaves = next_leaving < leavings ? stretch_end[leaving[next_leaving]] : LATER;
            if (stretch_of[agent] != stretch || idle_since[agent] == LATER) continue;
            int64_t group = group_of[agent];
            unlink_from(idle_before, idle_after, idle_first, idle_last, group, agent);
            idle_since[agent] = LATER;
            free[group]--;
            if (varied && serves_out[stretch])
                row = next_contact(centre, floor, rows, group, now, true, varied);
            if (row < 0) {
                stretch_left[stretch] = now;
                continue;
            }
            unlink_from(ahead, behind, queue_first, queue_last, type_of[row], row);
            waiting[type_of[row]]--;
        } else if (varied && late_when[0] == now &&
                   (comes != now || late_stretch[0] < coming[next_coming])) {
            int64_t stretch = late_stretch[0];
            lates = drop_moment(late_when, late_stretch, lates);
            rare = least(least(closes, over_when[0]), late_when[0]);
            agent = stretch_agent[stretch];
            stretch_of[agent] = stretch, floor->stretch_came[stretch] = now;
        } else if (comes == now) {
            int64_t stretch = coming[next_coming];
            agent = stretch_agent[stretch];
            next_coming++;
            comes = next_coming < comings ? stretch_start[coming[next_coming]] : LATER;
            if (varied) { /* The break before it is not over, or has not begun. */
                bool begins = busy[agent] && floor->pause[stretch_of[agent]] > 0;
                if (floor->comes_otherwise[stretch] || begins) continue;
            }
            if (busy[agent]) { /* The last contact went on through the whole break. */
                stretch_left[stretch_of[agent]] = now;
                stretch_of[agent] = stretch;
                continue;
            }
            stretch_of[agent] = stretch;
        } else if (varied && over_when[0] == now) {
            row = over_row[0];
            overs = drop_first(over_when, over_row, rows, overs);
            int64_t contact_type = type_of[row];
            agent = -1;
            if (outcome[row] == WAITING && agent_of[row] < 0) {
                int64_t waited = now - arrival[row];
                agent = free_agent(centre, floor, contact_type, waited, varied);
                if (agent >= 0 && centre->agent_choice[contact_type] != LONGEST_IDLE)
                    agent = another(centre, chance, floor, rows, row, waited, agent, member);
                for (int64_t place = over_first[contact_type];
                     agent < 0 && place < over_first[contact_type + 1]; place++) {
                    int64_t due = arrival[row] + overflows[place];
                    if (due > now) {
                        overs = put(over_when, over_row, rows, overs, due, row);
                        break;
                    }
                }
            }
            rare = least(least(closes, over_when[0]), late_when[0]);
            if (agent < 0) continue;
            unlink_from(ahead, behind, queue_first, queue_last, contact_type, row);
            waiting[contact_type]--;
            unlink_from(idle_before, idle_after, idle_first, idle_last, group_of[agent], agent);
            idle_since[agent] = LATER;
            free[group_of[agent]]--;
        } else if (gives_up == now) {
            row = gone_row[0];
            waits = drop_first(gone_when, gone_row, rows, waits);
            if (outcome[row] == WAITING) {
                int64_t contact_type = type_of[row];
                outcome[row] = ABANDONED, agent_of[row] = -1;
                left_queue[row] = ended[row] = now;
                unlink_from(ahead, behind, queue_first, queue_last, contact_type, row);
                waiting[contact_type]--;
                if (varied && line_group[contact_type] >= 0)
                    free_lines[line_group[contact_type]]++;
                if (redials(centre, chance, floor, rows, row, count, now, member, columns)) {
                    backs = put(back_when, back_row, rows, backs, arrival[count], count);
                    count++;
                }
            }
            continue;
        } else if (varied && closes == now) {
            int64_t contact_type = closing[2 * next_closing + 1];
            next_closing++;
            closes = next_closing < closings ? closing[2 * next_closing] : LATER;
            rare = least(least(closes, over_when[0]), late_when[0]);
            for (row = queue_first[contact_type]; row >= 0; row = behind[row]) {
                outcome[row] = CLEARED, agent_of[row] = -1;
                left_queue[row] = ended[row] = now;
                if (line_group[contact_type] >= 0 && !called_back[row])
                    free_lines[line_group[contact_type]]++;
            }
            queue_first[contact_type] = queue_last[contact_type] = -1;
            waiting[contact_type] = 0;
            continue;
        } else {
            row = back_row[0];
            if (returns == now &&
                (arrives != now || content_of(rows, row) < content_of(rows, next_arrival))) {
                backs = drop_first(back_when, back_row, rows, backs);
            } else {
                row = next_arrival;
                next_arrival++;
                arrives = next_arrival < first_attempts ? arrival[next_arrival] : LATER;
            }
            order[seen] = row;
            seen++;
            last[row] = true;
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
            if (!varied) {
                agent = free_agent(centre, floor, contact_type, 0, varied);
            } else {
                agent = -1;
                int64_t lines = line_group[contact_type];
                if (lines >= 0) {
                    while (talk_when[0] <= now) {
                        free_lines[line_group[type_of[talk_row[0]]]]++;
                        talks = drop_first(talk_when, talk_row, rows, talks);
                    }
                }
                bool blocked = lines >= 0 && free_lines[lines] == 0;
                if (!blocked) {
                    agent = free_agent(centre, floor, contact_type, 0, varied);
                    bool full_queue = waiting[contact_type] >= centre->queue_limit[contact_type];
                    blocked = agent < 0 && full_queue;
                }
                if (blocked) {
                    outcome[row] = BLOCKED, agent_of[row] = -1;
                    left_queue[row] = ended[row] = now;
                    if (redials(centre, chance, floor, rows, row, count, now, member, columns)) {
                        backs = put(back_when, back_row, rows, backs, arrival[count], count);
                        count++;
                    }
                    continue;
                }
                if (lines >= 0) free_lines[lines]--;
                if (agent >= 0 && centre->agent_choice[contact_type] != LONGEST_IDLE)
                    agent = another(centre, chance, floor, rows, row, 0, agent, member);
            }
            if (agent < 0) {
                int64_t stays = patience[row];
                if (varied && centre->estimate[contact_type] >= 0) {
                    int64_t lines = line_group[contact_type], accepts = LATER, unused;
                    int64_t told = floor->last_wait[contact_type];
                    if (centre->estimate[contact_type] > 0)
                        told = (waiting[contact_type] + 1) * centre->per_waiting[contact_type];
                    if (told >= centre->callback_from[contact_type])
                        callback(chance, rows, row, member, &accepts, &unused);
                    int64_t tolerance = centre->tolerance_ppm[contact_type];
                    if (accepts < centre->accepted_below[contact_type]) {
                        called_back[row] = true, stays = NEVER;
                        if (lines >= 0) free_lines[lines]++;
                    } else if (tolerance && stays < NEVER && told > scaled(stays, tolerance)) {
                        outcome[row] = BALKED, agent_of[row] = -1;
                        left_queue[row] = ended[row] = now;
                        if (lines >= 0) free_lines[lines]++;
                        if (redials(centre, chance, floor, rows, row, count, now, member,
                                    columns)) {
                            backs = put(back_when, back_row, rows, backs, arrival[count], count);
                            count++;
                        }
                        continue;
                    }
                }
                outcome[row] = WAITING, agent_of[row] = -1;
                /* At one instant they arrive in order of content, later attempts too. */
                int64_t left = queue_last[contact_type];
                link_in(ahead, behind, queue_first, queue_last, contact_type, row, left);
                waiting[contact_type]++;
                if (stays < NEVER) {
                    int64_t ends = now + stays;
                    latest = most(latest, ends);
                    if (waits && outcome[gone_row[0]] != WAITING) /* who was answered makes room */
                        replace_first(gone_when, gone_row, rows, waits, ends, row);
                    else
                        waits = put(gone_when, gone_row, rows, waits, ends, row);
                }
                if (varied && over_first[contact_type] < over_first[contact_type + 1]) {
                    int64_t due = now + overflows[over_first[contact_type]];
                    overs = put(over_when, over_row, rows, overs, due, row);
                    rare = least(least(closes, over_when[0]), late_when[0]);
                }
                continue;
            }
            unlink_from(idle_before, idle_after, idle_first, idle_last, group_of[agent], agent);
            idle_since[agent] = LATER;
            free[group_of[agent]]--;
        }

        int64_t group = group_of[agent];
        if (row < 0) { /* She takes the next contact, or leaves when it is time, or is idle. */
            int64_t stretch = stretch_of[agent];
            bool over = now >= stretch_end[stretch];
            if (!over || serves_out[stretch])
                row = next_contact(centre, floor, rows, group, now, over, varied);
            if (row < 0) {
                if (done == now) settle(agenda, rows, agent, IDLE + agent);
                if (over) {
                    stretch_left[stretch] = now;
                    if (varied && floor->pause[stretch] && now > stretch_end[stretch]) {
                        lates = comes_back(floor, stretch_end, late_when, late_stretch, lates,
                                           stretch, now);
                        rare = least(least(closes, over_when[0]), late_when[0]);
                    }
                    continue;
                }
                int64_t left = idle_last[group];
                while (left >= 0 && idle_since[left] == now && left > agent)
                    left = idle_before[left];
                link_in(idle_before, idle_after, idle_first, idle_last, group, agent, left);
                idle_since[agent] = now;
                free[group]++;
                continue;
            }
            unlink_from(ahead, behind, queue_first, queue_last, type_of[row], row);
            waiting[type_of[row]]--;
        }

        /* She answers, or it rings in vain. */
        int64_t contact_type = type_of[row], became = ANSWERED;
        int64_t picked_up = now, ends = now + handle_time[row];
        if (varied) {
            int64_t skill = group * types + contact_type, wrap_up = 0;
            floor->last_wait[contact_type] = now - arrival[row];
            if (called_back[row]) {
                int64_t unused, answers;
                picked_up = now + centre->dialling[contact_type];
                callback(chance, rows, row, member, &unused, &answers);
                if (answers >= centre->reached_below[contact_type]) became = UNREACHED;
            } else {
                picked_up = now + centre->ring[group];
                if (patience[row] < NEVER && arrival[row] + patience[row] < picked_up)
                    picked_up = arrival[row] + patience[row], became = ABANDONED;
            }
            bool on_a_line = line_group[contact_type] >= 0 && !called_back[row], more = false;
            ends = picked_up;
            if (picked_up >= until) {
                became = WAITING; /* the end of the run comes first */
            } else if (became == ABANDONED) {
                more = redials(centre, chance, floor, rows, row, count, picked_up, member,
                               columns);
            } else if (became == ANSWERED) {
                int64_t stretch = stretch_of[agent];
                int64_t own = centre->stretch_pace[stretch], settles = centre->stretch_settles[stretch];
                int64_t handle_ppm = least(scaled(centre->handle_ppm[skill], own), MOST_PPM);
                int64_t work = scaled(handle_time[row], handle_ppm);
                if (on_a_line)
                    wrap_up = scaled(wrap_up_of(chance, rows, row, member), handle_ppm);
                if (is_passed_on(chance, rows, row, centre->transfer_below[skill], member)) {
                    work = scaled(work, centre->transfer_ppm[skill]);
                    wrap_up = scaled(wrap_up, centre->transfer_ppm[skill]);
                    ends += work;
                    more = passes_on(centre, chance, floor, rows, row, count, ends, skill, member,
                                     columns);
                } else {
                    ends += work;
                    int64_t below = centre->unresolved_below[skill];
                    if (settles != PPM)
                        below = unresolved_below(centre->resolution_ppm[skill], settles);
                    if (below)
                        more = repeats(centre, chance, floor, rows, row, count, ends, below,
                                       member, columns);
                }
            }
            if (on_a_line)
                talks = put(talk_when, talk_row, rows, talks, most(picked_up, ends - wrap_up), row);
            if (more) {
                backs = put(back_when, back_row, rows, backs, arrival[count], count);
                count++;
            }
            floor->handled[agent] += ends - now;
            rows->taken[row] = now, picked_up = least(picked_up, until);
        }
        busy[agent] = true;
        outcome[row] = became, agent_of[row] = agent;
        left_queue[row] = picked_up, ended[row] = least(ends, until);
        row_of[agent] = row;
        if (done == now)
            settle(agenda, rows, agent, ends);
        else
            begin(agenda, rows, agent, ends);
    }

    state[NOW] = most(now, latest), state[ARRIVAL] = next_arrival;
    state[COMING] = next_coming, state[LEAVING] = next_leaving, state[CLOSING] = next_closing;
    state[ROWS] = count, state[SEEN] = seen, state[WAITS] = waits, state[BACKS] = backs;
    state[OVERS] = overs, state[TALKS] = talks, state[LATES] = lates;
    state[COLUMN] = column, state[EDGE] = edge;
    return verdict;
}

int64_t play(int64_t *state, int64_t events, const Centre *centre, const Chance *chance,
             const Rows *rows, const Floor *floor, const Agenda *agenda, int64_t first_attempts,
             bool grows, int64_t member, int64_t types, int64_t columns, int64_t closings,
             int64_t room, int64_t comings, int64_t leavings) {
    if (centre->varied)
        return play_on(state, events, centre, chance, rows, floor, agenda, first_attempts, grows,
                       true, member, types, columns, closings, room, comings, leavings);
    return play_on(state, events, centre, chance, rows, floor, agenda, first_attempts, grows,
                   false, member, types, columns, closings, room, comings, leavings);
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
