/** Opens the tables that belong on paper while the page is printed. */

export function openForPrint(): void {
  let opened: HTMLDetailsElement[] = []
  const print = (isOn: boolean) => {
    for (const details of opened) details.open = false
    opened = []
    if (!isOn) return
    const closed = document.querySelectorAll<HTMLDetailsElement>('details.in-print:not([open])')
    opened = [...closed]
    for (const details of opened) {
      details.open = true
      // The browser's own event comes after the page is laid out for paper.
      details.dispatchEvent(new Event('toggle'))
    }
  }
  matchMedia('print').addEventListener('change', ({ matches }) => print(matches))
  window.addEventListener('beforeprint', () => print(true))
  window.addEventListener('afterprint', () => print(false))
}
