// The part of the run that all pictures over time show, shared between them.
export class Range {
  begin: number;
  end: number;
  private listeners: (() => void)[] = [];

  constructor(
    readonly first: number,
    readonly last: number,
  ) {
    this.begin = first;
    this.end = last;
  }

  get isWhole(): boolean {
    return this.begin === this.first && this.end === this.last;
  }

  listen(listener: () => void): void {
    this.listeners.push(listener);
  }

  set(begin: number, end: number): void {
    const all = this.last - this.first;
    const width = Math.max(end - begin, all / 1000);
    if (width >= all * (1 - 1e-9)) {
      this.begin = this.first;
      this.end = this.last;
    } else {
      this.begin = Math.min(Math.max(begin, this.first), this.last - width);
      this.end = this.begin + width;
    }
    for (const listener of this.listeners) {
      listener();
    }
  }

  zoom(factor: number, at = (this.begin + this.end) / 2): void {
    this.set(at - (at - this.begin) * factor, at + (this.end - at) * factor);
  }

  pan(share: number): void {
    const by = (this.end - this.begin) * share;
    this.set(this.begin + by, this.end + by);
  }

  reset(): void {
    this.set(this.first, this.last);
  }
}

// First index whose time is not before `time`.
export function lowerBound(times: ArrayLike<number>, time: number, stride = 1): number {
  let low = 0;
  let high = Math.floor(times.length / stride);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle * stride]! < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
