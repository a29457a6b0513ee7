/**
 * A duration as kubectl writes ages: two units at most, the finer the younger (`45s`, `5m10s`, `90m`, `3h20m`,
 * `47h`, `3d4h`, `200d`, `2y100d`). The limits are those of Kubernetes' `duration.HumanDuration`.
 *
 * @param millis milliseconds; a clock that differs by less than two seconds counts as zero
 */
export function humanDuration(millis: number): string {
  const seconds = Math.trunc(millis / 1_000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 120) return `${Math.max(seconds, 0)}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 24 * 8) return pair(days, 'd', hours % 24, 'h');
  if (days < 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  return days < 365 * 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}
