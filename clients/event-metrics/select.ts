// The values at a few places of the sorted order, without sorting: several times as fast.
//
// Quickselect of Hoare, the pivot a median of three. Where pivots turn out bad, again and again,
// the part in question is sorted, so that no order of values makes it quadratic (introselect).

/** Parts as small as this are sorted. */
const SORTED_LENGTH = 64;

/** Afterwards each place, in ascending order, has the value that it has in the sorted order. */
export function selectAscending(values: Float64Array, places: readonly number[]): void {
  let from = 0;
  for (const place of places) {
    selectOne(values, from, values.length - 1, place);
    from = place + 1;
  }
}

function selectOne(values: Float64Array, from: number, to: number, place: number): void {
  let [low, high] = [from, to];
  let patience = 2 * Math.ceil(Math.log2(high - low + 2));
  while (low < high) {
    if (high - low < SORTED_LENGTH || patience === 0) {
      values.subarray(low, high + 1).sort();
      return;
    }
    patience--;
    const pivot = medianOfThree(values[low]!, values[(low + high) >>> 1]!, values[high]!);
    let [left, right] = [low, high];
    while (left <= right) {
      while (values[left]! < pivot) left++;
      while (values[right]! > pivot) right--;
      if (left > right) break;
      const higher = values[left]!;
      values[left++] = values[right]!;
      values[right--] = higher;
    }
    // All up to `right` are at most the pivot, all from `left` on at least; between them equal.
    if (place <= right) high = right;
    else if (place >= left) low = left;
    else return;
  }
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
