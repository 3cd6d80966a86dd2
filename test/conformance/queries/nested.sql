-- list-literals
SELECT [1, 2, 3] AS a, ['x', NULL] AS b, [] AS c, [[1], [2, 3]] AS d, list_value(1, 2) AS e;

-- list-elements
SELECT l[1] AS a, l[-1] AS b, l[5] AS c, l[2:3] AS d, l[:2] AS e, list_extract(l, 2) AS f, l[0] AS g FROM (SELECT [10, 20, 30] AS l);

-- element-of-a-literal
SELECT (['a', 'b'])[1] AS x;

-- element-of-a-bare-literal
SELECT ['a', 'b'][1] AS x;

-- list-slices
SELECT list_slice(l, 2, 4) AS a, l[:-2] AS b FROM (SELECT [1, 2, 3, 4, 5] AS l);

-- list-reversed
SELECT list_reverse(l) AS a FROM (SELECT [1, 2, 3, 4, 5] AS l);

-- list-slice-with-a-step
SELECT l[1:5:2] AS a FROM (SELECT [1, 2, 3, 4, 5] AS l);

-- list-slice-with-a-step-beside-others
SELECT l[1:5:2] AS a, list_slice(l, 2, 4) AS b FROM (SELECT [1, 2, 3, 4, 5] AS l);

-- list-functions
SELECT len([1, 2]) AS a, list_contains([1, 2], 2) AS b, list_position(['a', 'b'], 'b') AS c, list_concat([1], [2, 3]) AS d, [1] || [2] AS e,
  list_distinct([1]) AS f, list_unique([1, 1, 2]) AS g, list_append([1], 2) AS h, list_prepend(0, [1]) AS i, flatten([[1], [2]]) AS j;

-- list-sorting
SELECT list_sort([3, 1, NULL, 2]) AS a, list_reverse_sort([3, 1, 2]) AS b, list_sort(['b', 'a'], 'DESC') AS c, list_sort([NULL, 1], 'ASC', 'NULLS LAST') AS d;

-- list-aggregates
SELECT list_sum([1, 2, 3]) AS a, list_avg([1, 2]) AS b, list_min([3, 1]) AS c, list_max(['a', 'b']) AS d, list_count([1, NULL]) AS e,
  list_aggregate([1, 2, 3], 'string_agg', '-') AS f, list_string_agg(['a', 'b']) AS g;

-- list-transform
SELECT list_transform([1, 2, 3], x -> x * 10) AS a, [x * 2 FOR x IN [1, 2, 3]] AS b, [x FOR x IN [1, 2, 3, 4] IF x % 2 = 0] AS c;

-- list-filter
SELECT list_filter([1, NULL, 3], x -> x IS NOT NULL) AS a, list_filter(['a', 'bb'], s -> length(s) > 1) AS b;

-- lambda-with-a-column
SELECT id, list_transform([1, 2], x -> x + id) AS l FROM users;

-- lambdas-in-lambdas
SELECT list_transform([[1, 2], [3]], l -> list_transform(l, x -> x + 1)) AS a;

-- lambda-with-the-index
SELECT list_transform([10, 20], (x, i) -> x + i) AS a, list_filter([5, 6, 7], (x, i) -> i > 1) AS b;

-- comprehension-over-a-column
SELECT id, [c || '!' FOR c IN string_split(name, 'a') IF c <> ''] AS parts FROM users;

-- list-overlap
SELECT list_has_any([1, 2], [2, 3]) AS a, list_has_all([1, 2], [2]) AS b, list_intersect([1, 2], [2, 3]) AS c;

-- list-comparison
SELECT [1, 2] < [1, 3] AS a, [1] = [1] AS b, [1, NULL] = [1, NULL] AS c, [] < [1] AS d;

-- list-of-rows
SELECT symbol, list(price ORDER BY time)[1:3] AS first FROM trades GROUP BY symbol;

-- lists-as-groups
SELECT l, count(*) AS n FROM (SELECT [event_type, severity] AS l FROM events) GROUP BY l;

-- range-as-a-list
SELECT range(5) AS a, range(2, 8, 3) AS b, generate_series(1, 3) AS c, range(3, 0, -1) AS d;

-- range-of-times
SELECT range(TIMESTAMP '2025-01-01', TIMESTAMP '2025-01-02', INTERVAL '6 hours') AS r;

-- unnest-a-list
SELECT unnest([1, 2, 3]) AS x;

-- unnest-beside-a-column
SELECT id, unnest([id, id * 10]) AS x FROM users WHERE id < 5;

-- unnest-two
SELECT unnest([1, 2]) AS a, unnest(['x', 'y', 'z']) AS b;

-- unnest-empty-and-null
SELECT id, unnest(CASE WHEN id < 4 THEN [] WHEN id < 6 THEN NULL ELSE [id] END) AS x FROM users;

-- unnest-in-from
SELECT x FROM unnest([3, 1, 2]) AS t(x);

-- unnest-of-a-joined-column
SELECT u.id, x FROM users u, unnest([u.id, u.id + 100]) AS t(x) WHERE u.id < 4;

-- unnest-recursive
SELECT unnest([[1, 2], [3]], recursive := true) AS x;

-- unnest-structs
SELECT unnest([{'a': 1, 'b': 'x'}, {'a': 2, 'b': 'y'}], recursive := true);

-- struct-literals
SELECT {'a': 1, 'b': 'x'} AS s, struct_pack(c := 1, d := [2]) AS t, row(1, 'x') AS r;

-- struct-fields
SELECT s.a AS a, s['b'] AS b, struct_extract(s, 'a') AS c, (s).b AS d FROM (SELECT {'a': 1, 'b': 'x'} AS s);

-- struct-star
SELECT s.* FROM (SELECT {'a': id, 'b': name} AS s FROM users);

-- structs-in-lists
SELECT [s.name FOR s IN people] AS names FROM (SELECT list({'id': id, 'name': name} ORDER BY id) AS people FROM users);

-- struct-insert
SELECT struct_insert({'a': 1}, b := 2) AS s;

-- struct-of-a-row
SELECT u FROM users u WHERE id = 3;

-- structs-compared
SELECT {'a': 1} = {'a': 1} AS a, {'a': 1, 'b': NULL} = {'a': 1, 'b': NULL} AS b, {'a': 1} < {'a': 2} AS c;

-- structs-as-groups
SELECT k, count(*) AS n FROM (SELECT {'t': event_type, 's': success} AS k FROM events) GROUP BY k;

-- maps
SELECT map(['a', 'b'], [1, 2]) AS m, MAP {'x': 1} AS n, map_keys(MAP {'x': 1}) AS k, map_values(MAP {'x': 1}) AS v, cardinality(MAP {'x': 1}) AS c;

-- map-lookup
SELECT element_at(MAP {'x': 1, 'y': 2}, 'y') AS a, map_entries(MAP {'x': 1}) AS b, map_from_entries([('k', 1)]) AS c;

-- map-subscript
SELECT (MAP {'x': 1, 'y': 2})['y'] AS a;

-- deep-nesting
SELECT {'l': [{'m': MAP {'k': [1, NULL]}}], 'n': NULL} AS d;

-- array-to-string
SELECT array_to_string([1, 2, NULL, 3], '-') AS a, list_aggregate(['a', 'b'], 'string_agg', ',') AS b;

-- lists-of-times
SELECT [time, time + INTERVAL '1 day'] AS l FROM users WHERE id < 5;

-- list-cast
SELECT ['1', '2']::INT[] AS a, '[1, 2]'::INT[] AS b, [1, 2]::VARCHAR[] AS c;

-- list-zip
SELECT list_zip([1, 2], ['a', 'b']) AS z;

-- list-reduce
SELECT list_reduce([1, 2, 3], (a, b) -> a + b) AS r;

-- two-slices-with-a-step
SELECT l[1:5:2] AS a, l[1:5:3] AS b, l[1:5:2] AS c, list_reverse(l) AS d, l
FROM (VALUES ([1, 2, 3, 4, 5]), ([6, 7, 8, 9, 10])) t(l);

-- reversed-lists-in-groups
SELECT list_reverse(string_split(tags, ',')) AS r, count(*) AS n FROM events GROUP BY list_reverse(string_split(tags, ','));

-- position-of-what-is-not-there
SELECT list_position([1], 5) AS a, array_position(['a'], 'a') AS b, list_indexof([1], 9) IS NULL AS c, array_indexof([1, 2], 2) AS d;

-- position-of-null
SELECT list_position([1, NULL], NULL) AS p;

-- intersection-of-repeated
SELECT list_intersect([1, 1, 2], [1]) AS i;

-- list-joined-with-null
SELECT [1] || NULL AS l;

-- text-in-json-as-a-list
SELECT '["a", "b"]'::VARCHAR[] AS l;

-- text-in-json-read-as-a-list
SELECT from_json('["a", "b"]', '["VARCHAR"]') AS a, '["a", "b"]'::JSON::VARCHAR[] AS b;

-- list-of-texts-as-text
SELECT ['c,d']::VARCHAR AS l;
