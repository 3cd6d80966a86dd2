// The functions that a query may call: a list of what is allowed, so that a function which a newer
// engine brings along is refused until somebody has looked at it.
//
// Not on it: what tells of the engine, its settings or its catalog, what keeps state (sequences,
// seeds), what runs SQL given as text, and the engine's internals. A test holds this list against
// the functions that the engine has.

import type { Expression, FunctionCall } from "./ast.ts";

const OPERATORS = String.raw`
  !__postfix !~~ !~~* % & && * ** + - ->> / // <#> <-> << <=> <@ >> @ @> ^ ^@ | || ~ ~~ ~~* ~~~
`;

const SCALARS = `
  abs acos add age aggregate alias apply array_aggr array_aggregate array_append array_apply
  array_cat array_concat array_contains array_distinct array_extract array_filter array_has
  array_has_all array_has_any array_indexof array_intersect array_length array_pop_back
  array_pop_front array_position array_prepend array_push_back array_push_front array_resize
  array_reverse array_reverse_sort array_slice array_sort array_to_json array_to_string
  array_transform array_unique ascii asin atan atan2 bar base64 bin bit_count bit_length
  bit_position bitstring cardinality cbrt ceil ceiling century chr concat concat_ws
  constant_or_null contains cos cot count_if current_date current_localtime current_localtimestamp
  damerau_levenshtein date_add date_diff date_part date_sub date_trunc datediff datepart datesub
  datetrunc day dayname dayofmonth dayofweek dayofyear decade decode degrees divide editdist3
  element_at encode ends_with enum_code enum_first enum_last enum_range enum_range_boundary epoch
  epoch_ms epoch_ns epoch_us era error even exp factorial fdiv filter flatten floor fmod format
  formatReadableDecimalSize format_bytes from_base64 from_binary from_hex from_json
  from_json_strict gamma gcd gen_random_uuid generate_series generate_subscripts geomean
  geometric_mean get_bit get_current_time get_current_timestamp greatest greatest_common_divisor
  hamming hash hex hour if ifnull ilike_escape instr isfinite isinf isnan isodow isoyear jaccard
  jaro_similarity jaro_winkler_similarity json json_array json_array_length json_contains
  json_extract json_extract_path json_extract_path_text json_extract_string json_group_array
  json_group_object json_group_structure json_keys json_merge_patch json_object json_quote
  json_structure json_transform json_transform_strict json_type json_valid julian last_day lcase
  lcm least least_common_multiple left left_grapheme len length length_grapheme levenshtein lgamma
  like_escape list_aggr list_aggregate list_any_value list_append list_apply
  list_approx_count_distinct list_avg list_bit_and list_bit_or list_bit_xor list_bool_and
  list_bool_or list_cat list_concat list_contains list_cosine_similarity list_count list_distance
  list_distinct list_dot_product list_element list_entropy list_extract list_filter list_first
  list_has list_has_all list_has_any list_histogram list_indexof list_inner_product list_intersect
  list_kurtosis list_last list_mad list_max list_median list_min list_mode list_pack list_position
  list_prepend list_product list_resize list_reverse list_reverse_sort list_sem list_skewness
  list_slice list_sort list_stddev_pop list_stddev_samp list_string_agg list_sum list_transform
  list_unique list_value list_var_pop list_var_samp ln log log10 log2 lower lpad ltrim make_date
  make_time make_timestamp make_timestamptz map map_concat map_entries map_extract
  map_from_entries map_keys map_values md5 md5_number md5_number_lower md5_number_upper
  microsecond millennium millisecond minute mismatches mod month monthname multiply nextafter
  nfc_normalize not_ilike_escape not_like_escape now nullif octet_length ord pg_size_pretty
  pg_typeof pi position pow power prefix printf quarter radians random range regexp_extract
  regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array repeat
  replace reverse right right_grapheme round round_even roundbankers row row_to_json rpad rtrim
  second set_bit sha256 sign signbit sin split split_part sqrt starts_with stem str_split
  str_split_regex strftime string_split string_split_regex string_to_array strip_accents strlen
  strpos strptime struct_extract struct_insert struct_pack substr substring substring_grapheme
  subtract suffix tan time_bucket timezone timezone_hour timezone_minute to_base to_base64
  to_binary to_days to_hex to_hours to_json to_microseconds to_milliseconds to_minutes to_months
  to_seconds to_timestamp to_years today transaction_timestamp translate trim trunc try_strptime
  typeof ucase unbin unhex unicode union_extract union_tag union_value unnest upper uuid version
  week weekday weekofyear xor year yearweek
`;

const AGGREGATES = `
  any_value approx_count_distinct approx_quantile arbitrary arg_max arg_min argmax argmin
  array_agg avg bit_and bit_or bit_xor bitstring_agg bool_and bool_or corr count count_star
  covar_pop covar_samp entropy favg first fsum group_concat histogram kahan_sum kurtosis last list
  listagg mad max max_by mean median min min_by mode product quantile quantile_cont quantile_disc
  regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
  reservoir_quantile sem skewness stddev stddev_pop stddev_samp string_agg sum sum_no_overflow
  sumkahan var_pop var_samp variance
`;

const WINDOWS = `
  cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank rank_dense
  row_number
`;

const AGGREGATE_NAMES = namesIn(AGGREGATES);
const ALLOWED = namesIn(OPERATORS + SCALARS + AGGREGATES + WINDOWS);
const ALLOWED_IN_FROM = namesIn("generate_series range unnest");
/** The parser puts its own calls (list_value, struct_pack) into "main". */
const SCHEMAS = new Set(["", "main"]);

export function isFunctionAllowed(call: FunctionCall): boolean {
  return isUnqualified(call) && ALLOWED.has(call.function_name.toLowerCase());
}

/** Functions that stand for a table. Those that read files are not among them. */
export function isTableFunctionAllowed(call: FunctionCall): boolean {
  return isUnqualified(call) && ALLOWED_IN_FROM.has(call.function_name.toLowerCase());
}

/** Without GROUP BY, a query that calls one has one row. */
export function isAggregateCall(expression: Expression): boolean {
  const { class: kind, function_name: name } = expression as FunctionCall;
  return kind === "FUNCTION" && AGGREGATE_NAMES.has(name.toLowerCase());
}

function isUnqualified({ schema, catalog }: FunctionCall): boolean {
  return catalog === "" && SCHEMAS.has(schema);
}

function namesIn(text: string): ReadonlySet<string> {
  return new Set(
    text
      .trim()
      .split(/\s+/)
      .map((name) => name.toLowerCase()),
  );
}
