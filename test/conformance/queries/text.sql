-- case-of-letters
SELECT id, upper(w) AS u, lower(w) AS l FROM words;

-- lengths
SELECT id, length(w) AS l, strlen(w) AS bytes, length_grapheme(w) AS g, bit_length(w) AS bits FROM words;

-- substrings
SELECT id, substr(w, 2, 3) AS a, w[1] AS b, w[2:3] AS c, left(w, 2) AS d, right(w, 2) AS e, substr(w, -2) AS f FROM words;

-- reverse
SELECT id, reverse(w) AS r FROM words WHERE id <> 15;

-- trims
SELECT '[' || trim(w) || ']' AS t, '[' || ltrim(w) || ']' AS l, '[' || rtrim(w) || ']' AS r, trim('xxaxx', 'x') AS x FROM words WHERE id = 6;

-- pads
SELECT lpad('7', 3, '0') AS a, rpad('7', 3, '-') AS b, lpad('12345', 3, '0') AS c, repeat('ab', 3) AS d;

-- like
SELECT w FROM words WHERE w LIKE '%pple';

-- like-with-underscore
SELECT w FROM words WHERE w LIKE '_pple' OR w LIKE 'ze__a';

-- like-with-underscore-beyond-ascii
SELECT w FROM words WHERE w LIKE '_pfel';

-- like-with-escape
SELECT w FROM words WHERE w LIKE 'a\_b\%c' ESCAPE '\';

-- not-like
SELECT w FROM words WHERE w NOT LIKE '%a%';

-- ilike
SELECT w FROM words WHERE w ILIKE 'äpf%' OR w ILIKE 'APPLE';

-- glob
SELECT w FROM words WHERE w GLOB '[Aa]*';

-- similar-to
SELECT w FROM words WHERE w SIMILAR TO '[a-z]+';

-- like-everything-and-nothing
SELECT count(*) FILTER (WHERE w LIKE '%') AS every, count(*) FILTER (WHERE w LIKE '') AS nothing FROM words;

-- regexp-matches
SELECT w FROM words WHERE regexp_matches(w, '^[a-zA-Z]+$');

-- regexp-operator
SELECT w FROM words WHERE w ~ '.*[äÄ].*';

-- regexp-matches-options
SELECT w FROM words WHERE regexp_matches(w, 'APPLE', 'i');

-- regexp-unicode-classes
SELECT w, regexp_matches(w, '\p{Lu}') AS has_upper FROM words;

-- regexp-extract
SELECT regexp_extract('host-17.eu', '(\w+)-(\d+)', 2) AS a, regexp_extract('x', '\d') AS b, regexp_extract_all('a1b22', '\d+') AS c;

-- regexp-extract-named
SELECT regexp_extract('2025-10-26', '(\d+)-(\d+)-(\d+)', ['y', 'm', 'd']) AS parts;

-- regexp-replace
SELECT regexp_replace('a1b22', '\d+', '#') AS a, regexp_replace('a1b22', '\d+', '#', 'g') AS b, regexp_replace('John Smith', '(\w+) (\w+)', '\2 \1') AS c;

-- regexp-full-match
SELECT regexp_full_match('abc', 'b') AS a, regexp_full_match('abc', '.b.') AS b;

-- regexp-split
SELECT regexp_split_to_array('a, b;c', '[,;] *') AS parts;

-- split
SELECT string_split('a,b,,c', ',') AS a, split_part('a.b.c', '.', 2) AS b, split_part('a.b.c', '.', 9) AS c, split_part('a.b.c', '.', -1) AS d, string_split('', ',') AS e;

-- split-and-unnest
SELECT id, unnest(string_split(w, ' ')) AS part FROM words WHERE w LIKE '% %';

-- concatenation
SELECT concat_ws('-', 'a', NULL, 'b') AS a, 'a' || 1 AS b, concat(1, true, 'x') AS c;

-- replace-and-translate
SELECT replace('banana', 'an', 'AN') AS a, translate('abc', 'ab', 'xy') AS b, replace(w, 'ä', 'ae') AS c FROM words;

-- positions
SELECT position('na' IN 'banana') AS a, strpos('日本語', '語') AS b, instr('abc', 'z') AS c, contains(w, 'é') AS d FROM words WHERE id = 7;

-- starts-and-ends
SELECT w FROM words WHERE starts_with(w, 'a') OR ends_with(w, 'e') OR prefix(w, '日本') OR suffix(w, 'ily');

-- caret-at
SELECT w FROM words WHERE w ^@ 'ap';

-- code-points
SELECT ascii('A') AS a, unicode('ä') AS b, chr(228) AS c, ord('𝄞') AS d, chr(119070) AS e;

-- accents
SELECT strip_accents('naïve café Äöü') AS a, nfc_normalize('é') = 'é' AS b;

-- distances
SELECT levenshtein('kitten', 'sitting') AS a, hamming('abc', 'abd') AS b, jaccard('abc', 'abd') AS c, damerau_levenshtein('ab', 'ba') AS d, jaro_winkler_similarity('duck', 'duckdb') AS e;

-- comparison-by-bytes
SELECT 'Z' < 'a' AS a, 'a' < 'ä' AS b, 'z' < 'ä' AS c, '' < 'a' AS d, 'a' < 'aa' AS e;

-- equality-is-exact
SELECT count(*) AS n FROM words WHERE w = 'apple';

-- quotes-and-backslashes
SELECT w, length(w) AS l FROM words WHERE w = 'it''s' OR w = 'say "hi"' OR w = 'back\slash';

-- escape-strings
SELECT E'tab\there' AS a, E'line\n' AS b, 'no\nescape' AS c;

-- dollar-quotes
SELECT $$it's "here"$$ AS a, $tag$ $$ $tag$ AS b;

-- control-characters
SELECT w FROM words WHERE w LIKE '%' || chr(10) || '%' OR contains(w, chr(9));

-- emoji
SELECT w, length(w) AS l, length_grapheme(w) AS g, left_grapheme(w, 1) AS first FROM words WHERE id IN (9, 15);

-- text-min-max
SELECT min(w) AS lo, max(w) AS hi, count(DISTINCT lower(w)) AS n FROM words;

-- groups-of-text
SELECT lower(w[1]) AS initial, count(*) AS n FROM words GROUP BY initial;

-- text-in-lists
SELECT list_sort(string_split(w, '')) AS letters FROM words WHERE id = 2;

-- url-and-bytes
SELECT octet_length(encode(w)) AS n FROM words WHERE id = 8;

-- bar
SELECT bar(5, 0, 10, 10) AS b;

-- long-text
SELECT length(repeat('äb', 100000)) AS l, md5(repeat('äb', 100000)) AS h;

-- unterminated, refused
SELECT 'abc;
