interface Props<T extends string> {
  readonly legend: string;
  readonly name: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly title: string; readonly text: string }[];
  onChange(value: T): void;
}

/** A choice between a few things that each need a sentence. */
export function RadioCards<T extends string>({ legend, name, value, options, onChange }: Props<T>) {
  return (
    <fieldset className="radio-cards">
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option.value} className={option.value === value ? 'radio-card radio-card-on' : 'radio-card'}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            data-testid={`${name}-${option.value}`}
            onChange={() => onChange(option.value)}
          />
          <span>
            <span className="radio-title">{option.title}</span>
            <span className="check-hint">{option.text}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
