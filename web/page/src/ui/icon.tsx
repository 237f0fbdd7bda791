// Small drawings; always beside words or a name, so hidden from readers.

const PATHS = {
  copy: "M9 9h10v11H9zM5 15V4h10",
  share: "M12 15V4m0 0L8 8m4-4 4 4M6 12v8h12v-8",
  check: "m5 12.5 4.5 4.5L19 7",
  crown: "M4 17 3 7l5 4 4-6 4 6 5-4-1 10z",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  coffee: "M5 9h11v5a5 5 0 0 1-5 5h-1a5 5 0 0 1-5-5zM16 10h2a2.5 2.5 0 0 1 0 5h-2M8.5 6V4M12.5 6V4",
  infinite: "M12 12c-2-2.7-3.600-4-5.500-4a4 4 0 0 0 0 8c1.900 0 3.500-1.300 5.500-4s3.600-4 5.500-4a4 4 0 0 1 0 8c-1.900 0-3.500-1.300-5.500-4z",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.500l3 1.500",
  list: "M9 6h11M9 12h11M9 18h11M4.500 6h.1M4.500 12h.1M4.500 18h.1",
  history: "M4 5v4h4M4.600 9A8 8 0 1 1 4 13M12 8.500V12l3 2",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "m6 6 12 12M18 6 6 18",
  up: "m6 14 6-6 6 6",
  down: "m6 10 6 6 6-6",
  trash: "M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13",
  edit: "m5 19 1-4L16 5l3 3L9 18z",
  link: "M14 5h5v5M19 5l-8 8M17 14v5H5V7h5",
  plus: "M12 5v14M5 12h14",
  invite: "M10 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM3.500 20c.5-4 3-6 6.500-6s6 2 6.500 6M18 7v6M15 10h6",
  grip: "M9 6h.1M15 6h.1M9 12h.1M15 12h.1M9 18h.1M15 18h.1",
  flag: "M6 21V4h11l-2 4 2 4H6",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.500 2h-15zM10 20.500h4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
