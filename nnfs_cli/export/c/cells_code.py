"""C functions for texts and dates. A file contains those that it uses."""

from __future__ import annotations

LOOK_UP = """
/* The place of a text among n ascending keys; `gap` for NULL, and `other` for other texts. */
static int64_t look_up(const char *text, const char *const *keys, const int32_t *places, size_t n, int64_t gap,
                       int64_t other)
{
    size_t low = 0;
    size_t high = n;
    int64_t found = (text == NULL) ? gap : other;

    while ((text != NULL) && (low < high)) {
        const size_t middle = low + ((high - low) / 2U);
        const int order = strcmp(keys[middle], text);
        if (order == 0) {
            found = (int64_t)places[middle];
            low = high;
        } else if (order < 0) {
            low = middle + 1U;
        } else {
            high = middle;
        }
    }
    return found;
}
"""

HASH_BLOCK = """
/* One step of BLAKE2b over a block of 128 bytes, of which `count` have been read so far.
   Source: Saarinen and Aumasson, RFC 7693 (2015). */
static void hash_block(uint64_t state[8], const uint64_t block[16], uint64_t count, bool last)
{
    static const uint64_t start[8] = {
        UINT64_C(0x6A09E667F3BCC908), UINT64_C(0xBB67AE8584CAA73B), UINT64_C(0x3C6EF372FE94F82B),
        UINT64_C(0xA54FF53A5F1D36F1), UINT64_C(0x510E527FADE682D1), UINT64_C(0x9B05688C2B3E6C1F),
        UINT64_C(0x1F83D9ABFB41BD6B), UINT64_C(0x5BE0CD19137E2179)};
    static const uint8_t order[10][16] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
        {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
        {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
        {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
        {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};
    static const uint8_t mixed[8][4] = {{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14}, {3, 7, 11, 15},
                                        {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13}, {3, 4, 9, 14}};
    uint64_t v[16];

    for (size_t i = 0; i < 8; i++) {
        v[i] = state[i];
        v[i + 8U] = start[i];
    }
    v[12] ^= count;
    v[14] = last ? ~v[14] : v[14];
    for (size_t turn = 0; turn < 12; turn++) {
        for (size_t i = 0; i < 8; i++) {
            uint64_t *a = &v[mixed[i][0]];
            uint64_t *b = &v[mixed[i][1]];
            uint64_t *c = &v[mixed[i][2]];
            uint64_t *d = &v[mixed[i][3]];
            *a += *b + block[order[turn % 10U][2U * i]];
            *d = ((*d ^ *a) >> 32) | ((*d ^ *a) << 32);
            *c += *d;
            *b = ((*b ^ *c) >> 24) | ((*b ^ *c) << 40);
            *a += *b + block[order[turn % 10U][(2U * i) + 1U]];
            *d = ((*d ^ *a) >> 16) | ((*d ^ *a) << 48);
            *c += *d;
            *b = ((*b ^ *c) >> 63) | ((*b ^ *c) << 1);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        state[i] ^= v[i] ^ v[i + 8U];
    }
}
"""

HASH_BUCKET = """
/* The hash of a text, BLAKE2b with 8 bytes, modulo the number of buckets. NULL counts as the single byte 255, and the
   bytes C0 80 stand for the character NUL. */
static int64_t hash_bucket(const char *text, uint64_t buckets)
{
    uint64_t state[8] = {
        UINT64_C(0x6A09E667F2BDC900), UINT64_C(0xBB67AE8584CAA73B), UINT64_C(0x3C6EF372FE94F82B),
        UINT64_C(0xA54FF53A5F1D36F1), UINT64_C(0x510E527FADE682D1), UINT64_C(0x9B05688C2B3E6C1F),
        UINT64_C(0x1F83D9ABFB41BD6B), UINT64_C(0x5BE0CD19137E2179)};
    uint64_t block[16] = {0};
    uint64_t count = 0;
    const char *from = (text == NULL) ? "\\377" : text;

    while (*from != '\\0') {
        const bool nul = ((uint8_t)from[0] == 0xC0U) && ((uint8_t)from[1] == 0x80U);
        const uint64_t byte = nul ? 0U : (uint64_t)(uint8_t)from[0];
        if ((count > 0U) && ((count % 128U) == 0U)) {
            hash_block(state, block, count, false);
            memset(block, 0, sizeof block);
        }
        block[(count % 128U) / 8U] |= byte << (8U * (count % 8U));
        count++;
        from += nul ? 2 : 1;
    }
    hash_block(state, block, count, true);
    return (int64_t)(state[0] % buckets);
}
"""

BLANKS = """
/* How many bytes the blank has that a text of n bytes begins with, or ends with; 0 if there is none. */
static size_t blank_at(const char *text, size_t n, bool end)
{
    static const char blanks[29][4] = {
        "\\t", "\\n", "\\v", "\\f", "\\r", "\\034", "\\035", "\\036", "\\037", " ", "\\302\\205",
        "\\302\\240", "\\341\\232\\200", "\\342\\200\\200", "\\342\\200\\201", "\\342\\200\\202",
        "\\342\\200\\203", "\\342\\200\\204", "\\342\\200\\205", "\\342\\200\\206", "\\342\\200\\207",
        "\\342\\200\\210", "\\342\\200\\211", "\\342\\200\\212", "\\342\\200\\250", "\\342\\200\\251",
        "\\342\\200\\257", "\\342\\201\\237", "\\343\\200\\200"};
    size_t found = 0;

    for (size_t i = 0; i < 29; i++) {
        const size_t width = strlen(blanks[i]);
        if ((width <= n) && (memcmp(end ? &text[n - width] : text, blanks[i], width) == 0)) {
            found = width;
        }
    }
    return found;
}

/* Leave out the blanks around a part of a text. */
static void strip_blanks(const char **text, size_t *n)
{
    size_t blank = blank_at(*text, *n, false);

    while (blank > 0U) {
        *text += blank;
        *n -= blank;
        blank = blank_at(*text, *n, false);
    }
    blank = blank_at(*text, *n, true);
    while (blank > 0U) {
        *n -= blank;
        blank = blank_at(*text, *n, true);
    }
}
"""

HAS_ENTRIES = """
/* Whether a text stands between two marks, given as pairs such as "[]{}()". */
static bool stands_between(const char *text, size_t n, const char *marks)
{
    bool found = false;

    for (size_t i = 0; (n > 1U) && (marks[i] != '\\0'); i += 2U) {
        found = found || ((text[0] == marks[i]) && (text[n - 1U] == marks[i + 1U]));
    }
    return found;
}

/* How many bytes lie before the next delimiter. */
static size_t before(const char *text, size_t n, const char *delimiter)
{
    const size_t width = strlen(delimiter);
    size_t at = 0;

    while ((at < n) && (((n - at) < width) || (memcmp(&text[at], delimiter, width) != 0))) {
        at++;
    }
    return at;
}

/* Mark each of n keys that a list holds, and last whether it holds anything else. */
static void has_entries(bool *found, const char *text, const char *delimiter, const char *const *keys, size_t n)
{
    const char *rest = (text == NULL) ? "" : text;
    size_t left = strlen(rest);
    bool more = true;

    memset(found, 0, (n + 1U) * sizeof found[0]);
    strip_blanks(&rest, &left);
    if (stands_between(rest, left, "[]{}()")) {
        rest = &rest[1];
        left -= 2U;
    }
    while (more) {
        const char *entry = rest;
        size_t width = before(rest, left, delimiter);
        size_t place = 0;
        more = width < left;
        if (more) {
            rest += width + strlen(delimiter);
            left -= width + strlen(delimiter);
        }
        strip_blanks(&entry, &width);
        if (stands_between(entry, width, "\\"\\"''")) {
            entry = &entry[1];
            width -= 2U;
            strip_blanks(&entry, &width);
        }
        while ((place < n) && ((strlen(keys[place]) != width) || (memcmp(keys[place], entry, width) != 0))) {
            place++;
        }
        if (width > 0U) {
            found[place] = true;
        }
    }
}
"""

CALENDAR = """
#define MICROSECONDS INT64_C(86400000000) /* of a day */

/* A day within its year and its month, from 0 on, and how many days these have. */
typedef struct {
    int64_t day_of_year;
    int64_t days_in_year;
    int64_t day_of_month;
    int64_t days_in_month;
} calendar_day;

/* The day of a date in microseconds since the beginning of 1970; all 0 for an empty cell.
   Years are counted from March on, and eras of 400 years from March of the year 0. */
static calendar_day day_of(int64_t date)
{
    static const int64_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    calendar_day found = {0, 0, 0, 0};

    if (date != INT64_MIN) {
        const int64_t day = (date / MICROSECONDS) - (((date % MICROSECONDS) < 0) ? 1 : 0) + 719468;
        const int64_t era = ((day >= 0) ? day : (day - 146096)) / 146097;
        const int64_t in_era = day - (era * 146097);
        const int64_t year_of_era = (in_era - (in_era / 1460) + (in_era / 36524) - (in_era / 146096)) / 365;
        const int64_t since_march = in_era - ((365 * year_of_era) + (year_of_era / 4) - (year_of_era / 100));
        const int64_t from_march = ((5 * since_march) + 2) / 153;
        const bool early = from_march >= 10; /* January or February */
        const int64_t month = early ? (from_march - 10) : (from_march + 2);
        const int64_t year = year_of_era + (era * 400) + (early ? 1 : 0);
        const bool leap = ((year % 4) == 0) && (((year % 100) != 0) || ((year % 400) == 0));
        found.days_in_year = leap ? 366 : 365;
        found.day_of_year = early ? (since_march - 306) : (since_march + (leap ? 60 : 59));
        found.day_of_month = since_march - (((153 * from_march) + 2) / 5);
        found.days_in_month = days[month] + ((leap && (month == 1)) ? 1 : 0);
    }
    return found;
}
"""

JOIN = """
/* Join those of n labels that are true by |. */
static void join(char *joined, const char *const *labels, const bool *inside, size_t n)
{
    size_t width = 0;
    bool first = true;

    for (size_t i = 0; i < n; i++) {
        if (inside[i]) {
            const size_t own = strlen(labels[i]);
            if (!first) {
                joined[width] = '|';
                width++;
            }
            first = false;
            memcpy(&joined[width], labels[i], own);
            width += own;
        }
    }
    joined[width] = '\\0';
}
"""
