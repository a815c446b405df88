import { aws_cloudwatch as cloudwatch, Stack, Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { JsonText } from '../private/json-text';

/**
 * A widget, or rows of them, whose JSON is written once. The CDK asks for it, and walks through all of it, each time a dashboard is resolved, which is
 * several times a synthesis; of the text only the tokens are resolved.
 */
export class WrittenWidget implements cloudwatch.IWidget {
  private place = '';
  private written?: any[];

  constructor(private readonly scope: IConstruct, private readonly widget: cloudwatch.IWidget) {}

  public get width(): number {
    return this.widget.width;
  }

  public get height(): number {
    return this.widget.height;
  }

  public position(x: number, y: number): void {
    const place = `${x} ${y} ${this.height}`;
    if (place !== this.place) this.written = undefined;
    this.place = place;
    this.widget.position(x, y);
  }

  public toJson(): any[] {
    return this.written ??= this.write();
  }

  private write(): any[] {
    const widgets = this.widget.toJson();
    const text = new JsonText(Stack.of(this.scope), widgets);
    // JSON has numbers without quotation marks, so that the token of one stands for any text in it.
    return text.hasTokens ? [Token.asNumber(text)] : widgets;
  }
}
